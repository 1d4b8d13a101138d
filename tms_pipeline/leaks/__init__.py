"""Leak scan: personal values and secrets where none may be, in databases, files and process listings."""
