COPY block (
    user_id, session_id, t_min, t_max, metric_type_id, seq, time_unit, time_step, n, time_deltas, scales,
    bases, values_int1, values_int2, values_int4, values_float4, values_float8, remainder, summaries
) FROM STDIN (FORMAT BINARY)
