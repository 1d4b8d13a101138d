-- A kind of which the mirror cannot hold two for one of ours.
CREATE TEMP TABLE twin (ssg_ref text, key text) ON COMMIT DROP
