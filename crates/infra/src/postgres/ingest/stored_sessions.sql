SELECT s.user_id, s.session_id, s.digest, s.t_min, s.t_max, s.metric_types
FROM unnest($1::uuid[], $2::uuid[]) AS t (session_id, user_id)
JOIN session AS s USING (session_id, user_id)
