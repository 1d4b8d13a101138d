"""Alarms: raised once a step and subject, and the messages that tell people of them."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0006"
down_revision = "0005"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
