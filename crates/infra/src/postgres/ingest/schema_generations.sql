-- The generations of schemas, read after the locks. Deleted metric types are absent.
SELECT id AS metric_type_id, schema_generation FROM metric_type WHERE id = ANY ($1::integer[])
