-- The stored sessions with these ids, read after the locks.
SELECT s.user_id, s.session_id, s.digest, s.start_ts, s.t_min, s.t_max, s.point_count, s.metric_types
FROM unnest($1::uuid[], $2::uuid[]) AS t (session_id, user_id) JOIN session AS s USING (session_id, user_id)
