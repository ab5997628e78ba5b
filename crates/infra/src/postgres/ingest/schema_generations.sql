-- The generations of schemas as they are behind the locks; deleted metric types are absent.
SELECT id AS metric_type_id, schema_generation FROM metric_type WHERE id = ANY ($1::integer[])
