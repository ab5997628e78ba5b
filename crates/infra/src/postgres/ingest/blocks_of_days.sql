-- The blocks of a user and metric type on one day, with arrays only for blocks without summaries.
SELECT b.session_id, b.metric_type_id, b.seq, b.t_min, b.t_max, b.n, b.time_unit, b.time_step, b.summaries,
       CASE WHEN b.summaries IS NULL THEN b.time_deltas END AS time_deltas,
       CASE WHEN b.summaries IS NULL THEN b.scales END AS scales,
       CASE WHEN b.summaries IS NULL THEN b.bases END AS bases,
       CASE WHEN b.summaries IS NULL THEN b.values_int1 END AS values_int1,
       CASE WHEN b.summaries IS NULL THEN b.values_int2 END AS values_int2,
       CASE WHEN b.summaries IS NULL THEN b.values_int4 END AS values_int4,
       CASE WHEN b.summaries IS NULL THEN b.values_float4 END AS values_float4,
       CASE WHEN b.summaries IS NULL THEN b.values_float8 END AS values_float8,
       NULL::json AS remainder
FROM block AS b
WHERE b.user_id = $1 AND b.metric_type_id = $2 AND b.t_min >= $3 AND b.t_min < $3 + interval '1 day'
