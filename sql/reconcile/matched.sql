-- Records that agree on both sides.
SELECT count(*) FROM {register} r JOIN {mirror} m ON m.key = r.key AND m.live WHERE r.live AND m.ssg_hash = r.ssg_hash
