-- What each hash of a register becomes, for all who remember it; of the variants that plans were approved for as well.
INSERT INTO rehash (old, new)
SELECT DISTINCT ON (v.old) v.old, v.new
FROM {kept} k
JOIN {table} t ON t.key = k.id AND t.version = k.version
CROSS JOIN LATERAL (
              SELECT k.ssg_hash, t.ssg_hash
    UNION ALL SELECT sha256(k.ssg_hash || 'withdraw'::bytea), sha256(t.ssg_hash || 'withdraw'::bytea)
    UNION ALL SELECT sha256(k.ssg_hash || 'replace'::bytea), sha256(t.ssg_hash || 'replace'::bytea)
    UNION ALL SELECT sha256(k.ssg_hash || convert_to(s.word, 'UTF8')), sha256(t.ssg_hash || convert_to(s.word, 'UTF8'))
              FROM (SELECT DISTINCT collection_status FROM register.fee WHERE collection_status IS NOT NULL
                    UNION SELECT 'Pending Payment') AS s (word)
) AS v (old, new)
ORDER BY v.old
ON CONFLICT (old) DO NOTHING
