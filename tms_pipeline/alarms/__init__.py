"""Alarms: what people must hear of in time, told once, kept until it was told. Knows no Dagster."""
