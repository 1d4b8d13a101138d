-- Records of one kind that live at SSG, by our key. Any state of the record counts.
SELECT key, created_on, first_seen_at FROM {mirror} AS held WHERE live AND key IS NOT NULL
