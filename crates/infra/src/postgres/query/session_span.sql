SELECT min(t_min) AS t_min, max(t_max) AS t_max FROM session WHERE session_id = $1 AND user_id = ANY ($2)
