-- SSG answers: the breaker closes and forgets.
UPDATE ssg.breaker SET failures = 0, opened_at = NULL, probe_at = NULL WHERE credential = %(credential)s
