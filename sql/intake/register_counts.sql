-- Rows of a register, and those that stand as this upload gave them.
SELECT count(*), count(*) FILTER (WHERE upload_id = %(upload_id)s) FROM {register}
