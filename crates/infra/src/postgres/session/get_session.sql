SELECT user_id, session_id, start_ts, t_min, t_max, created_at, point_count, metric_types
FROM session WHERE session_id = $1 AND user_id = $2
