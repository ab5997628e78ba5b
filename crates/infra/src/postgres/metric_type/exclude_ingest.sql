-- Exclusive: waits for the ingests of this metric type that are under way, and holds up new ones.
SELECT pg_advisory_xact_lock(7233105, $1)
