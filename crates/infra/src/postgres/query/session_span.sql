SELECT t_min, t_max FROM session WHERE session_id = $1 AND user_id = $2
