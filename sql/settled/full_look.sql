-- A look at everything was made.
INSERT INTO finding.full_look (review_id, as_of, fingerprint, why) VALUES (%(review)s, %(today)s, %(fingerprint)s, %(why)s)
