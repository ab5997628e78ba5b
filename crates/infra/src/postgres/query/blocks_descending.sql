-- Whole blocks of the days from $4 to $5 that have a time in [$6, $5), from the last that ends.
SELECT b.user_id, b.session_id, b.metric_type_id, b.seq, b.t_min, b.t_max, b.n, b.time_unit, b.time_step, true AS whole,
       b.summaries, b.time_deltas, b.scales, b.values_int2, b.values_int4, b.values_float4, b.values_float8, b.remainder
FROM block AS b
WHERE b.user_id = $1 AND b.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR b.session_id = $3)
  AND b.t_min >= $4 AND b.t_min < $5 AND b.t_max >= $6
ORDER BY b.t_max DESC
