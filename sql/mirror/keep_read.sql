-- One line a read of a scope; returns its seconds.
INSERT INTO mirror.read (kind, scope, started_at, finished_at, state, records, error_code, sentence, mode, since, calls,
                         pages, bytes)
VALUES (%(kind)s, %(scope)s, %(started)s, clock_timestamp(), %(state)s, %(records)s, %(code)s, %(sentence)s, %(mode)s,
        %(since)s, %(calls)s, %(pages)s, %(bytes)s)
RETURNING extract(epoch FROM finished_at - started_at)
