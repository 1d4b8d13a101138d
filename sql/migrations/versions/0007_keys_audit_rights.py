"""Keys that are rotated and retired, an audit log that knows its keys, and the rights of people."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0007"
down_revision = "0006"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
