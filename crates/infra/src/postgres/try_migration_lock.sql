-- One migrator at a time; the number only has to be ours.
SELECT pg_try_advisory_lock(7233105481)
