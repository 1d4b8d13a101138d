-- Findings of the runs that this review settled, for all reviews to come. What a full look found is none of them: it is
-- told anew each night. How long ago a day was changes each day, and stands in a column of its own.
INSERT INTO finding.settled_deadline (after_review, rule, kind, run_code, key, trainee_ref, last_day, days_left, standing,
                                      records, learners, money, sentence, what_to_do)
SELECT %(review)s, d.rule, d.kind, d.run_code, d.key, d.trainee_ref, d.last_day, d.days_left, d.standing, d.records,
       d.learners, d.money, regexp_replace(d.sentence, ', [0-9,]+ days? ago\.', '.'), d.what_to_do
FROM finding.deadline d
JOIN finding.looked_run l ON l.run_code = d.run_code AND l.settled AND l.review_id = %(review)s
WHERE d.review_id = %(review)s AND d.rule <> 'full-look'
