-- What is there behind the locks: the catalogue's generation, in a row at least, and the sessions of these ids.
SELECT c.generation, s.user_id, s.session_id, s.digest, s.start_ts, s.t_min, s.t_max, s.point_count, s.metric_types
FROM catalogue AS c
LEFT JOIN (
    unnest($1::uuid[], $2::uuid[]) AS t (session_id, user_id) JOIN session AS s USING (session_id, user_id)
) ON true
