-- Records that agree on both sides: the live ones of ours but for those that are odd.
SELECT (SELECT count(*) FROM {register} AS x WHERE {stands}) - (SELECT count(DISTINCT key) FROM odd WHERE ours_live)
