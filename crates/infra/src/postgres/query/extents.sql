-- The extent of each series in blocks that begin in the days from $3 to $4 and end at or after $5.
SELECT metric_type_id, min(t_min) AS first_time, max(t_max) AS last_time,
       sum(n)::bigint AS points, count(DISTINCT session_id) AS sessions
FROM block
WHERE user_id = $1 AND metric_type_id = ANY ($2) AND t_min >= $3 AND t_min < $4 AND t_max >= $5
GROUP BY metric_type_id
