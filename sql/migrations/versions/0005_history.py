"""History of mirror, submissions and uploads, and views that show every table as of a past moment."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0005"
down_revision = "0004"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
