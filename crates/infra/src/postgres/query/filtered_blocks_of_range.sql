-- Blocks of one range as in blocks_of_range, without those of which no point meets the conditions
-- $10 to $13 according to their summaries. A block of which only some points meet them is read whole.
-- Condition: the number of channel $10 is in [$11, $12], or outside of it if $13 is true.
-- The nine numbers of a summary begin with n, sum, m2, min, max.
FROM block AS b
CROSS JOIN LATERAL (
    SELECT CASE WHEN b.summaries IS NULL THEN 0 ELSE (
        SELECT CASE WHEN bool_or(none) THEN -1 WHEN bool_and(every) THEN 1 ELSE 0 END
        FROM unnest($10::integer[], $11::float8[], $12::float8[], $13::boolean[]) AS c (channel, least, greatest, outside)
        CROSS JOIN LATERAL (SELECT COALESCE(b.summaries[9 * channel + 1], 0) AS numbers,
                                   b.summaries[9 * channel + 4] AS min, b.summaries[9 * channel + 5] AS max) AS s
        CROSS JOIN LATERAL (SELECT min >= least AND max <= greatest AS inside, max < least OR min > greatest AS apart) AS r
        CROSS JOIN LATERAL (SELECT numbers = 0 OR CASE WHEN outside THEN inside ELSE apart END AS none,
                                   numbers = b.n AND CASE WHEN outside THEN apart ELSE inside END AS every) AS v
    ) END AS block_match
    OFFSET 0
) AS f
CROSS JOIN LATERAL (
    SELECT f.block_match = 0 OR b.summaries IS NULL OR $6
        OR width_bucket(b.t_min, $4::timestamptz[]) <> width_bucket(b.t_max, $4::timestamptz[]) AS whole
) AS w
WHERE b.user_id = ANY ($1) AND b.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR b.session_id = $3)
  AND b.t_min >= $9 AND b.t_min < $8 AND b.t_max >= $7 AND f.block_match >= 0
