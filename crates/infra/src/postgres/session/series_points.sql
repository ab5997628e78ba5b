-- The number of points by session and metric type, for a page of sessions within [$3, $4].
SELECT session_id, metric_type_id, sum(n)::bigint AS points
FROM block
WHERE user_id = $1 AND metric_type_id = ANY ($2) AND t_min >= $3 AND t_min <= $4 AND session_id = ANY ($5)
GROUP BY session_id, metric_type_id
ORDER BY session_id, metric_type_id
