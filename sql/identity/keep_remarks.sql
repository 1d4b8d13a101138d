-- What each mark becomes.
INSERT INTO identity.remark (old, new)
SELECT DISTINCT old, new FROM fresh_remark
ON CONFLICT (old) DO NOTHING
