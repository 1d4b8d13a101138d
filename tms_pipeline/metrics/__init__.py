"""Metrics: numbers for Prometheus, counted in Postgres, without any personal value."""
