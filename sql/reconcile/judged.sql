-- What the diff would do about the odd records of a kind, and which class each is of. The words of states and classes
-- come from reconcile/classes.py.
CREATE TEMP TABLE judged ON COMMIT DROP AS
SELECT d.key, d.action, coalesce(moved.ssg_ref, d.ssg_ref) AS ssg_ref, d.elsewhere, under_way.sentence,
       CASE WHEN under_way.given_up THEN %(sent)s ELSE under_way.remedy END AS remedy, moved.ssg_ref IS NOT NULL AS moved, moved.place AS moved_to,
       CASE WHEN moved.ssg_ref IS NOT NULL THEN 'differs'
            -- Whatever differs, nothing of it is sent before these were found.
            WHEN state.class = 'unknown outcome' OR under_way.given_up THEN state.class
            WHEN d.elsewhere AND d.action = 'create' THEN 'missing there'
            WHEN d.elsewhere THEN 'differs'
            WHEN state.class IS NOT NULL THEN state.class
            WHEN orphan.yes THEN 'waiting'
            WHEN d.action = 'create' THEN 'missing there'
            ELSE 'differs' END AS class,
       state.class IS NULL AND orphan.yes AS parent_missing,
       -- A decision that no longer covers it, as SSG changed its side since, still keeps ours from being sent.
       EXISTS (SELECT FROM outbox.resolution x
               WHERE x.kind = %(kind)s AND x.key = d.key AND x.ended_at IS NULL AND x.how IN ('theirs', 'ignore')
                 AND (x.until IS NULL OR x.until >= %(today)s)
                 AND x.register_hash = r.ssg_hash AND x.register_live = r.live) AS decided,
       CASE WHEN d.action = 'create' AND d.elsewhere THEN 'somebody at SSG'
            WHEN d.action = 'create' THEN 'we'
            WHEN m.agreed_hash IS NULL THEN NULL
            WHEN m.agreed_hash = m.ssg_hash THEN 'we'
            WHEN m.agreed_hash = r.ssg_hash THEN 'somebody at SSG'
            WHEN {ours_since} > coalesce(m.updated_on, m.seen_at) THEN 'both sides, we last'
            ELSE 'both sides, somebody at SSG last' END AS changed_by,
       CASE WHEN d.action = 'create' AND d.elsewhere
            THEN coalesce(moved.since, (SELECT max(g.seen_at) FROM {mirror} g WHERE g.agreed_key = d.key
                                          AND (NOT g.live OR g.key IS DISTINCT FROM g.agreed_key)), {ours_since})
            WHEN m.ssg_ref IS NULL OR m.agreed_hash = m.ssg_hash THEN {ours_since}
            ELSE coalesce(m.updated_on, m.seen_at) END AS since
-- OFFSET 0: the odd ones are picked before anything is asked about each.
FROM (SELECT x.* FROM ({diff}) AS x WHERE x.key IN (SELECT key FROM odd WHERE key IS NOT NULL) OFFSET 0) AS d
JOIN {register} r ON r.key = d.key
{trainee}
LEFT JOIN {mirror} m ON m.ssg_ref = d.ssg_ref AND m.live
LEFT JOIN LATERAL (
    SELECT s.state, s.sentence, s.remedy, s.state = 'dead' AND s.needs_search AS given_up
    FROM outbox.submission s
    WHERE s.kind = %(kind)s AND s.key = d.key
      AND s.state = ANY(%(states)s)
    ORDER BY s.submission_id DESC
    LIMIT 1
) AS under_way ON true
LEFT JOIN unnest(%(states)s::text[], %(classes)s::text[]) AS state (state, class) ON state.state = under_way.state
LEFT JOIN LATERAL (
    SELECT bool_or(NOT mirror.holds(split_part(parent, ':', 1), substr(parent, strpos(parent, ':') + 1))) AS yes
    FROM unnest(d.parents) AS parent
) AS orphan ON true
LEFT JOIN LATERAL ({moved}) AS moved ON d.elsewhere AND d.action = 'create'
