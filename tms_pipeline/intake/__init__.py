"""Intake: files that ops drop, read safely, checked and taken into the registers."""
