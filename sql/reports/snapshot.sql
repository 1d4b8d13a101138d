-- One look at the database for all forms of a report, so that they all show the same numbers.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
