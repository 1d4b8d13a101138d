-- A row that shredding emptied.
UPDATE intake.landing_row SET waiting = false, note = 'removed by the rule of retention'
WHERE upload_id = %s AND table_no = %s AND row_number = %s
