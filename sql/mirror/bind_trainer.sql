-- SSG masks a trainer's id number, so a trainer is known by name and e-mail, if that is one of ours and only one.
UPDATE mirror.trainer m
SET key = r.key
FROM register.trainer r
WHERE m.key IS NULL
  AND r.trainer_name_mark = m.trainer_name_mark
  AND r.trainer_email_mark = m.trainer_email_mark
  AND NOT EXISTS (SELECT FROM mirror.trainer other WHERE other.key = r.key AND other.live)
