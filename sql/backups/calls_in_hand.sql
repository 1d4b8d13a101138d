-- Submissions that somebody is sending now.
SELECT count(*) FROM outbox.submission WHERE state = 'sending' AND lease_until > now()
