-- What was over and stands again at the same step is open again; it is not told again.
UPDATE alarm.alarm SET ended_at = NULL WHERE dedup_key = %(dedup_key)s AND ended_at IS NOT NULL
