-- Originals that were destroyed after the dump was made, as shredding leaves them.
UPDATE intake.upload
SET archive_name = NULL, state = CASE WHEN state IN ('received', 'held') THEN 'refused' ELSE state END,
    sentence = CASE WHEN state IN ('received', 'held')
        THEN 'The file was destroyed by the rule of retention before it was taken in.' ELSE sentence END
WHERE upload_id = ANY(%(uploads)s) AND archive_name IS NOT NULL
