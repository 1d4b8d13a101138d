-- Dead letters by kind and code as they stand.
SELECT kind, coalesce(error_code, ''), count(*), min(deadline)
FROM outbox.submission
WHERE state IN ('rejected', 'dead')
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
