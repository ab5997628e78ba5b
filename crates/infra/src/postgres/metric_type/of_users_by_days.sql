-- The users' versions, summed up, the catalogue's generation, and the metric types of which the users have a number: a row at
-- least, each metric type perhaps several times.
SELECT COALESCE((SELECT sum(version)::bigint FROM user_version WHERE user_id = ANY ($1)), 0) AS version,
       c.generation, t.metric_type_id, t.schema_generation
FROM catalogue AS c
LEFT JOIN metric_types_with_numbers($1) AS t ON true
