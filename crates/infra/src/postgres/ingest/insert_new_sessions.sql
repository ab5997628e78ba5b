-- As insert_sessions, if the schemas that validated the values ($9, generations in $10) are
-- current. Otherwise this divides by zero. Metric types are text, because an array of arrays must
-- be rectangular.
INSERT INTO session (user_id, session_id, start_ts, t_min, t_max, point_count, digest, metric_types)
SELECT user_id, session_id, start_ts, t_min, t_max, point_count, digest, metric_types::integer[]
FROM unnest(
    $1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::integer[], $7::bytea[], $8::text[]
) AS t (user_id, session_id, start_ts, t_min, t_max, point_count, digest, metric_types)
WHERE 1 / (
    SELECT (count(*) = cardinality($9::integer[]))::integer
    FROM unnest($9::integer[], $10::bigint[]) AS k (id, generation)
    JOIN metric_type AS m ON m.id = k.id AND m.schema_generation = k.generation
) = 1
