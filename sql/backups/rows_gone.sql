-- Rows of uploads of which nothing as it was typed is left.
UPDATE intake.landing_row SET waiting = false, note = 'removed by the rule of retention' WHERE upload_id = ANY(%(uploads)s)
