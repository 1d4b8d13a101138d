"""Submission: what both sides agreed on, order by dependency, expiring approvals, holds, resolutions."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0002"
down_revision = "0001"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
