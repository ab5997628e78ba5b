-- Whole blocks of the days from $4 to $5 that have a time in [$6, $5), in ascending order of their start,
-- or if $12 is true in descending order of their end. Omits blocks of which no point meets the conditions
-- $7 to $11 according to their summaries; see filtered_blocks_of_range.
SELECT b.user_id, b.session_id, b.metric_type_id, b.seq, b.t_min, b.t_max, b.n, b.time_unit, b.time_step, true AS whole,
       b.summaries, b.time_deltas, b.scales, b.bases, b.values_int1, b.values_int2, b.values_int4, b.values_float4, b.values_float8, b.remainder
FROM block AS b
CROSS JOIN LATERAL (
    SELECT bool_or(numbers = 0 OR CASE WHEN outside THEN inside ELSE apart END) AS none
    FROM unnest($7::integer[], $8::integer[], $9::float8[], $10::float8[], $11::boolean[])
        AS c (metric_type_id, channel, least, greatest, outside)
    CROSS JOIN LATERAL (SELECT COALESCE(b.summaries[9 * channel + 1], 0) AS numbers,
                               b.summaries[9 * channel + 4] AS min, b.summaries[9 * channel + 5] AS max) AS s
    CROSS JOIN LATERAL (SELECT min >= least AND max <= greatest AS inside, max < least OR min > greatest AS apart) AS r
    WHERE c.metric_type_id = b.metric_type_id
) AS f
WHERE b.user_id = $1 AND b.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR b.session_id = $3)
  AND b.t_min >= $4 AND b.t_min < $5 AND b.t_max >= $6
  AND (cardinality($7::integer[]) = 0 OR b.summaries IS NULL OR f.none IS NOT TRUE)
ORDER BY CASE WHEN NOT $12::boolean THEN b.t_min END, CASE WHEN $12 THEN b.t_max END DESC
