SELECT metric_type_id, seq, t_min, n, time_unit, time_step, time_deltas, scales,
       bases, values_int1, values_int2, values_int4, values_float4, values_float8, remainder
FROM block WHERE metric_type_id = $1
