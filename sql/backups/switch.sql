-- The kill switch as it stands; nobody turns it until the transaction ends.
SELECT stopped, reason, set_by FROM ssg.switch WHERE name = %(switch)s FOR UPDATE
