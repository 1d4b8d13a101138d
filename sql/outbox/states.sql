-- Submissions by kind and state.
SELECT kind, state, count(*) FROM outbox.submission GROUP BY kind, state ORDER BY kind, state
