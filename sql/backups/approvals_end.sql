-- No approval of the dump's day counts any more.
UPDATE outbox.submission SET approved_until = now() WHERE approved_until > now() AND state NOT IN ('accepted', 'superseded', 'discarded')
