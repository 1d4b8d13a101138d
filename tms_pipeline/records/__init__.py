"""Record kinds: courses, course runs, sessions, trainers, trainees, enrolments, fees, attendance, assessments.

Pure: imports no Dagster, no database driver and no HTTP.
"""
