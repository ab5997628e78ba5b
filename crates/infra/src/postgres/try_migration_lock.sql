-- One migration at a time. The number is an arbitrary key.
SELECT pg_try_advisory_lock(7233105481)
