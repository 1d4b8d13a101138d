-- Which database this is: a restore puts another under the same name, a recovery starts the server anew.
SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()
