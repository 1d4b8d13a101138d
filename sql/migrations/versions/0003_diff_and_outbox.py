"""What a claim asks of the mirror costs one look-up a parent."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0003"
down_revision = "0002"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
