-- Rows of a register or its history whose marks have no follower yet, after a row, a batch.
SELECT r.key, r.version, {subject} AS subject, {values}
FROM {register} r
WHERE (r.key, r.version) > (%(key)s, %(version)s)
  AND EXISTS (
      SELECT FROM unnest(ARRAY[{marks}]::bytea[]) AS m (mark)
      WHERE m.mark IS NOT NULL AND NOT EXISTS (SELECT FROM identity.remark x WHERE x.old = m.mark))
ORDER BY r.key, r.version
LIMIT %(limit)s
