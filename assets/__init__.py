"""Thin Dagster assets, one module a stage. No business rule lives here: read, call, report."""
