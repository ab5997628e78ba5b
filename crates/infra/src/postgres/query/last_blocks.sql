-- For each series the block that ends with its last point by (time, session, arrival). Blocks do not span
-- midnight, so that this block is in the day of the block that begins last.
SELECT b.user_id, b.session_id, b.metric_type_id, b.seq, b.t_min, b.t_max, b.n, b.time_unit, b.time_step, true AS whole,
       b.summaries, b.time_deltas, b.scales, b.bases, b.values_int1, b.values_int2, b.values_int4, b.values_float4, b.values_float8, b.remainder
FROM unnest($2::integer[]) AS s (metric_type_id)
CROSS JOIN LATERAL (
    SELECT t_min FROM block
    WHERE user_id = $1 AND metric_type_id = s.metric_type_id
    ORDER BY t_min DESC LIMIT 1
) AS latest
CROSS JOIN LATERAL (
    SELECT * FROM block
    WHERE user_id = $1 AND metric_type_id = s.metric_type_id
      AND t_min >= date_trunc('day', latest.t_min AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    ORDER BY t_max DESC, session_id DESC, seq DESC LIMIT 1
) AS b
