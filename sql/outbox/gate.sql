-- Take the next free slot of the credential; says whether calls are stopped, whether the breaker is open, how long to
-- wait in seconds, and whether failures are counted. An open breaker lets one probe through each time its rest is over.
WITH switch AS (
    SELECT coalesce(bool_or(stopped), false) AS stopped FROM ssg.switch WHERE name = %(switch)s
), breaker AS (
    UPDATE ssg.breaker
    SET probe_at = now() + %(probe)s * interval '1 second'
    WHERE credential = %(credential)s AND opened_at IS NOT NULL AND probe_at <= now()
    RETURNING true AS probing
), known AS (
    SELECT coalesce(bool_or(failures > 0), false) AS failing, coalesce(bool_or(opened_at IS NOT NULL), false) AS opened,
           greatest(0, coalesce(max(extract(epoch FROM paused_until - now())), 0))::float8 AS pause
    FROM ssg.breaker WHERE credential = %(credential)s
), closed AS (
    SELECT NOT known.opened OR EXISTS (SELECT FROM breaker) AS open_way FROM known
), slot AS (
    INSERT INTO ssg.rate AS r (credential, next_free_at)
    SELECT %(credential)s, now() + (2 - %(burst)s) * %(spacing)s * interval '1 second'
    FROM switch, closed
    WHERE NOT switch.stopped AND closed.open_way AND %(spacing)s > 0
    ON CONFLICT (credential) DO UPDATE
    -- After a rest, so many calls may go out at once; then one a spacing.
    SET next_free_at = greatest(r.next_free_at, now() - (%(burst)s - 1) * %(spacing)s * interval '1 second')
                       + %(spacing)s * interval '1 second'
    RETURNING next_free_at
)
SELECT switch.stopped, NOT closed.open_way,
       greatest(known.pause, coalesce((SELECT extract(epoch FROM next_free_at - now()) - %(spacing)s FROM slot), 0))::float8,
       known.failing, known.pause
FROM switch, closed, known
