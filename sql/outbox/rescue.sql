-- Leases that ran out: the worker died. What it was sending may or may not have arrived.
UPDATE outbox.submission
SET state = CASE WHEN state = 'sending' THEN 'unknown' ELSE state END,
    needs_search = needs_search OR state = 'sending',
    lease_owner = NULL, lease_until = NULL,
    error_code = CASE WHEN state = 'sending' THEN 'WORKER_DIED' ELSE error_code END,
    sentence = CASE WHEN state = 'sending'
        THEN 'The worker died while it was sending this; SSG is searched before it is sent again.' ELSE sentence END
WHERE lease_owner IS NOT NULL AND (lease_until < now() OR lease_owner LIKE %(gone)s)
