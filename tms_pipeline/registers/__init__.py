"""Registers: the accepted truth, one table a record kind, with history and the source of every value."""
