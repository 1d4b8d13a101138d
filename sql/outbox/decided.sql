-- A person decided that SSG's side stands: what was to be sent and was not begun is not sent any more.
UPDATE outbox.submission
SET state = 'superseded', finished_at = now(), reason = %(reason)s, lease_owner = NULL, lease_until = NULL
WHERE kind = %(kind)s AND key = %(key)s AND state IN ('planned', 'held', 'ready', 'retry') AND NOT needs_search
