"""Sensors and schedules: the inbox, retries, alerts, the night. They parse nothing and decide nothing."""
