-- How many attempts are not summed up yet, by their numbers.
SELECT coalesce((SELECT max(attempt_id) FROM outbox.attempt), 0)
     - coalesce((SELECT upto FROM operations.rolled_up WHERE what = 'attempt'), 0)
