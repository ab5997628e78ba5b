INSERT INTO session (user_id, session_id, start_ts, t_min, t_max, point_count, digest, metric_types)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
