"""Roles of people, reveals; Postgres' own roles follow from sql/roles/database_roles.sql."""

from tms_pipeline.store.forward import forward, refuse_to_go_back

revision = "0008"
down_revision = "0007"
upgrade = forward(__file__)
downgrade = refuse_to_go_back(revision)
