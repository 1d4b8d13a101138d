-- Something of ours broke while this was in hand: if it was being sent it is unknown, else it waits its turn again.
UPDATE outbox.submission
SET state = CASE WHEN state = 'sending' THEN 'unknown'
                 WHEN attempts + searches + 1 >= %(max_attempts)s AND state IN ('ready', 'retry', 'unknown') THEN 'dead'
                 ELSE state END,
    searches = searches + 1, lease_owner = NULL, lease_until = NULL, error_class = 'unknown', error_code = 'OUR_FAULT',
    sentence = 'The pipeline itself failed (' || %(name)s || ') while it had this in hand.',
    remedy = 'Tell the engineer on call; SSG is searched before it is sent again.',
    next_attempt_at = clock_timestamp() + least(3600, %(first)s * 2 ^ (attempts + searches)) * interval '1 second'
WHERE submission_id = %(id)s AND lease_owner = %(owner)s
RETURNING state
