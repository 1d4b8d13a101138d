"""The composition root: the one place that joins assets, sensors, schedules, jobs and resources."""

from assets.build import build_defs

defs = build_defs()
