-- A compliance review; its findings follow by COPY in the same transaction.
INSERT INTO finding.review (about, as_of, correlation_id, counts)
VALUES ('compliance', %(as_of)s, %(correlation_id)s, %(counts)s)
RETURNING review_id
