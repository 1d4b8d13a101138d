"""Audit: an append-only log chained by HMAC."""
