"""Diff: register against mirror, guards, plan. Pure: no database driver, no HTTP, no Dagster."""
