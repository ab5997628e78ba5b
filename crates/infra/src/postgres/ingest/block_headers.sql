-- The headers of the blocks of a session in [$4, $5).
SELECT metric_type_id, seq, t_min, t_max, n
FROM block
WHERE user_id = $1 AND session_id = $2 AND metric_type_id = ANY ($3) AND t_min >= $4 AND t_min < $5
ORDER BY metric_type_id, t_min, seq
