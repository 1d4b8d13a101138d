-- What full looks found since a day. That both sides differ is told where neither the plan nor the reconciliation of that
-- day told more of it.
SELECT o.run_code, o.found_on, o.stage, o.records
FROM finding.overlooked o
WHERE o.found_on > %(since)s
  AND (o.stage <> 'agreement'
       OR NOT EXISTS (SELECT FROM finding.overlooked x
                      WHERE x.run_code = o.run_code AND x.found_on = o.found_on AND x.stage IN ('plan', 'reconciliation')))
ORDER BY 1, 2, 3
