-- Shared: a schema change of one of these waits for us, or we for it. Ids come ascending.
SELECT pg_advisory_xact_lock_shared(7233105, id) FROM unnest($1::int[]) AS id
