-- Which of these references we had seen before we first sent this.
SELECT ssg_ref FROM {mirror} WHERE ssg_ref = ANY(%(refs)s) AND first_seen_at < %(before)s
