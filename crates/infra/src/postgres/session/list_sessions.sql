-- Keyset pagination: sessions after ($2, $3), newest start first, sessions without a start last.
SELECT user_id, session_id, start_ts, t_min, t_max, created_at, point_count, metric_types
FROM session
WHERE user_id = $1
  AND (COALESCE(start_ts, '-infinity'::timestamptz), session_id) < (COALESCE($2, '-infinity'::timestamptz), $3)
ORDER BY COALESCE(start_ts, '-infinity'::timestamptz) DESC, session_id DESC
LIMIT $4
