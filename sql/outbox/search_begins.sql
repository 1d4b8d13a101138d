-- A search is noted before it is made. Beside its attempt: how many searches since the last call were answered; one that
-- failed, or that a kill cut off, says nothing.
WITH noted AS (
    UPDATE outbox.submission SET searches = searches + 1 WHERE submission_id = %(id)s AND lease_owner = %(owner)s
), begun AS (
    INSERT INTO outbox.attempt (submission_id, number, step, correlation_id)
    VALUES (%(id)s, %(number)s, 'search', %(correlation_id)s)
    RETURNING attempt_id
)
SELECT begun.attempt_id,
       (SELECT count(*) FROM outbox.attempt a
        WHERE a.submission_id = %(id)s AND a.step = 'search' AND a.finished_at IS NOT NULL AND a.error_class IS NULL
          AND a.attempt_id > coalesce((SELECT max(s.attempt_id) FROM outbox.attempt s
                                       WHERE s.submission_id = %(id)s AND s.step = 'send'), 0))
FROM begun
