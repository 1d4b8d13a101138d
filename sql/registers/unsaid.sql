-- What the register holds in columns that a sheet does not have, where that is not what an empty cell would mean.
SELECT c.line, {values}
FROM {candidate} c
JOIN {register} r ON r.key = c.key
LEFT JOIN intake.upload u ON u.upload_id = r.upload_id
WHERE {differs}
