-- Records of a review that disagree, by run. A double of a record that agrees is found by every look: it belongs to no
-- run yet.
SELECT split_part(key, '|', 1), count(DISTINCT (kind, key, ssg_ref))
FROM finding.discrepancy
WHERE review_id = %(review)s AND key IS NOT NULL AND kind NOT IN ('course', 'trainer')
  AND class NOT IN ('not read', 'duplicated there')
GROUP BY 1
