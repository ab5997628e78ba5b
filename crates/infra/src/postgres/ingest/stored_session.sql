SELECT digest, t_min, t_max, metric_types FROM session WHERE session_id = $1 AND user_id = $2
