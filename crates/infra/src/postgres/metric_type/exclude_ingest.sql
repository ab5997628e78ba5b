-- Exclusive: waits for running writes of points of this metric type and blocks new ones.
SELECT pg_advisory_xact_lock(7233105, $1)
