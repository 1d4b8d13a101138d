-- Who approved a part of this very plan, and until when; what expired does not count.
SELECT approved_by, min(policy), max(expires_at)
FROM outbox.approval
WHERE plan_hash = %(hash)s AND kind = %(kind)s AND action = %(action)s AND expires_at > now()
GROUP BY approved_by
