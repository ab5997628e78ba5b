-- The sum of the users' versions, the catalogue's generation, and the metric types with a number of
-- the users. At least one row; a metric type may occur several times.
SELECT COALESCE((SELECT sum(version)::bigint FROM user_version WHERE user_id = ANY ($1)), 0) AS version,
       c.generation, t.metric_type_id, t.schema_generation
FROM catalogue AS c
LEFT JOIN metric_types_with_numbers($1) AS t ON true
