"""Backup and restore of the business database, so that an older state can come back and nothing is sent twice."""
