"""Settled: what a night need not look at again, and what unsettles it."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0012"
down_revision = "0009"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
