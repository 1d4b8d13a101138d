-- Fees that SSG holds as fully paid, by our key. A fee comes to SSG with its enrolment; what counts is when it became
-- fully paid. Where it was seen unpaid before, that is no later than SSG's last change of what we then read (our own
-- write: its moment). Where not, nobody can know, and it counts from the enrolment's creation.
SELECT held.key,
       CASE WHEN turned.at IS NULL THEN held.created_on
            WHEN turned.at = held.valid_from AND held.seen_how = 'read' THEN least(held.updated_on, turned.at)
            ELSE turned.at END AS created_on,
       held.first_seen_at
FROM {mirror} AS held
LEFT JOIN LATERAL (
    SELECT max(h.valid_to) AS at
    FROM mirror.fee_history h
    WHERE h.ssg_ref = held.ssg_ref AND h.valid_to <= held.valid_from
      AND h.collection_status IS DISTINCT FROM 'Full Payment'
) AS turned ON true
WHERE held.live AND held.key IS NOT NULL AND held.collection_status = 'Full Payment'
