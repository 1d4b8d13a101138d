"""Roles: who a person is, what the matrix lets them do, and the guard that every entry of the core asks."""
