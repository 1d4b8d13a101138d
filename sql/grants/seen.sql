-- Where a read of grants is loaded before it is merged.
CREATE TEMP TABLE seen_grants (LIKE mirror.grants INCLUDING DEFAULTS) ON COMMIT DROP;
ALTER TABLE seen_grants ALTER COLUMN seen_at DROP NOT NULL
