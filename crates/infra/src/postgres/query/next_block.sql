-- The start of the first block of any series that begins at or after $3 and before $4.
SELECT min(b.t_min) AS t_min
FROM unnest($2::integer[]) AS s (metric_type_id)
CROSS JOIN LATERAL (
    SELECT t_min FROM block
    WHERE user_id = $1 AND metric_type_id = s.metric_type_id AND t_min >= $3 AND t_min < $4
    ORDER BY t_min LIMIT 1
) AS b
