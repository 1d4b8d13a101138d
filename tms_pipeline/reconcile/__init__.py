"""Reconciliation: do the two sides agree, record by record and field by field."""
