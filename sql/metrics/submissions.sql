-- Submissions by kind and state, from the index alone.
SELECT kind, state, count(*) FROM outbox.submission GROUP BY kind, state
