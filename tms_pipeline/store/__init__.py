"""Postgres: the embedded server, connections, named queries, COPY and migrations."""
