-- What is under way for records of a kind: a difference that is being worked on is not a discrepancy of the data.
SELECT key, state, sentence, remedy
FROM outbox.submission
WHERE kind = %(kind)s AND key = ANY(%(keys)s)
  AND state IN ('planned', 'held', 'ready', 'sending', 'retry', 'unknown', 'rejected', 'dead', 'discarded')
ORDER BY submission_id
