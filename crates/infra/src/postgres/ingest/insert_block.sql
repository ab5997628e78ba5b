-- As copy_blocks, for one row.
INSERT INTO block (
    user_id, session_id, t_min, t_max, metric_type_id, seq, time_unit, time_step, n, time_deltas, scales,
    bases, values_int1, values_int2, values_int4, values_float4, values_float8, remainder, summaries
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
