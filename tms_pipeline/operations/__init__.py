"""Operations: the nightly sync as one service, processes, health, summaries."""
