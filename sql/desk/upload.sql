-- What tells one upload from another without its name.
SELECT received_at, source, array_to_string(kinds, ', '), state
FROM intake.upload WHERE upload_id = %(upload_id)s
