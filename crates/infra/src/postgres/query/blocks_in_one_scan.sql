-- Many stretches of a hypertable: one scan from $7 to $8, and a filter by the days that $9 bounds.
-- $10 is where the first stretch starts: only that one may start within a day. See blocks_of_stretch.
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
  AND b.t_min >= $7 AND b.t_min < $8 AND b.t_max >= $10
  AND width_bucket(b.t_min, $9::timestamptz[]) % 2 = 1
