-- The number of the given schemas that are current.
SELECT count(*) AS current
FROM unnest($1::integer[], $2::bigint[]) AS t (id, generation)
JOIN metric_type AS m ON m.id = t.id AND m.schema_generation = t.generation
