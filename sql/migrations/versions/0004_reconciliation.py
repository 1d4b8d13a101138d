"""Reconciliation both ways and with the sheets, reads of changes, grants."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0004"
down_revision = "0003"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
