"""Operations: fingerprints of keys, totals of calls, reports of data migrations, compatibility."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0009"
down_revision = "0008"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
