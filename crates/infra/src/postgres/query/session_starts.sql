-- The origin of the axis of each session with a point in [$3, $4).
SELECT user_id, session_id, COALESCE(start_ts, t_min) AS start
FROM session
WHERE user_id = ANY ($1) AND ($2::uuid IS NULL OR session_id = $2) AND t_min < $4 AND t_max >= $3
