-- The columns of a block b in a scan: summaries, or if `whole` the arrays. $5 requests the remainder.
SELECT b.user_id, b.session_id, b.metric_type_id, b.seq, b.t_min, b.t_max, b.n, b.time_unit, b.time_step, whole,
       CASE WHEN NOT whole THEN b.summaries END AS summaries,
       CASE WHEN whole THEN b.time_deltas END AS time_deltas,
       CASE WHEN whole THEN b.scales END AS scales,
       CASE WHEN whole THEN b.bases END AS bases,
       CASE WHEN whole THEN b.values_int1 END AS values_int1,
       CASE WHEN whole THEN b.values_int2 END AS values_int2,
       CASE WHEN whole THEN b.values_int4 END AS values_int4,
       CASE WHEN whole THEN b.values_float4 END AS values_float4,
       CASE WHEN whole THEN b.values_float8 END AS values_float8,
       CASE WHEN $5 THEN b.remainder END AS remainder
