DELETE FROM block
WHERE user_id = $1 AND session_id = $2 AND metric_type_id = ANY ($3) AND t_min >= $4 AND t_min <= $5
RETURNING metric_type_id, t_min
