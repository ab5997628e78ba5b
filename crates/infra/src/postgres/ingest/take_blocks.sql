-- Deletes and returns blocks of a session that are rewritten with more points. [$4, $5] limits the
-- partitions to be searched.
DELETE FROM block AS b
USING unnest($6::integer[], $7::integer[], $8::timestamptz[]) AS k (metric_type_id, seq, t_min)
WHERE b.user_id = $1 AND b.session_id = $2 AND b.metric_type_id = ANY ($3) AND b.t_min >= $4 AND b.t_min <= $5
  AND b.metric_type_id = k.metric_type_id AND b.seq = k.seq AND b.t_min = k.t_min
RETURNING b.metric_type_id, b.seq, b.t_min, b.n, b.time_unit, b.time_step, b.time_deltas, b.scales,
          b.bases, b.values_int1, b.values_int2, b.values_int4, b.values_float4, b.values_float8, b.remainder
