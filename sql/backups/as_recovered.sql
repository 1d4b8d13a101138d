-- The end of the audit log as it was recovered: what an earlier run of the same verb wrote does not count, nor, when that
-- one did not end, what anybody wrote since it began.
SELECT seq, at FROM audit.entry
WHERE action <> 'database recovered'
  AND NOT (action IN ('calls stopped', 'calls allowed') AND details->>'reason' = ANY(%(ours)s))
  AND seq < coalesce((
      SELECT max(seq) FROM audit.entry WHERE action = 'calls stopped' AND details->>'reason' = %(begun)s
          AND EXISTS (SELECT FROM ssg.switch WHERE stopped AND reason = %(begun)s)), 9223372036854775807)
ORDER BY seq DESC LIMIT 1
