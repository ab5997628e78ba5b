-- One stretch, [$7, $8): its day's start $9 bounds the index, since no block spans midnight.
-- A block comes whole if it has no summaries, or if an edge of $4 cuts it, or if $6 says so.
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
FROM block AS b CROSS JOIN LATERAL (SELECT b.summaries IS NULL OR $6 OR width_bucket(b.t_min, $4::timestamptz[]) <> width_bucket(b.t_max, $4::timestamptz[]) AS whole) AS w
WHERE b.user_id = ANY ($1) AND b.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR b.session_id = $3)
  AND b.t_min >= $9 AND b.t_min < $8 AND b.t_max >= $7
