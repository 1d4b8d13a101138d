-- The rows that shredding emptied.
SELECT upload_id, table_no, row_number FROM intake.landing_row
WHERE upload_id = ANY(%(uploads)s) AND note = 'removed by the rule of retention'
