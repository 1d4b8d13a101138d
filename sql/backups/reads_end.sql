-- What was read before the dump was made proves nothing about SSG now: nothing is planned before it is read again, and
-- everything is read whole.
UPDATE mirror.read
SET state = 'not read', error_code = 'RESTORED', sentence = 'A backup was restored; SSG is to be read again.'
WHERE state <> 'not read' AND (started_at > now() - %(days)s * interval '1 day' OR read_id IN (
    SELECT max(read_id) FROM mirror.read GROUP BY kind, scope))
