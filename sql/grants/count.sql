-- How many grants the mirror believes SSG to hold.
SELECT count(*) FROM mirror.grants WHERE live
