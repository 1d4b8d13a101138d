-- Something of ours broke while this was in hand: if it was being sent it is unknown, else it waits its turn again.
UPDATE outbox.submission
SET state = CASE WHEN state = 'sending' THEN 'unknown'
                 WHEN attempts >= %(max_attempts)s AND state IN ('retry', 'unknown') THEN 'dead' ELSE state END,
    attempts = attempts + 1, lease_owner = NULL, lease_until = NULL, error_class = 'unknown', error_code = 'OUR_FAULT',
    sentence = 'The pipeline itself failed (' || %(name)s || ') while it had this in hand.',
    remedy = 'Tell the engineer on call; SSG is searched before it is sent again.',
    next_attempt_at = now() + least(3600, 2 ^ attempts) * interval '1 second'
WHERE submission_id = %(id)s AND lease_owner = %(owner)s
