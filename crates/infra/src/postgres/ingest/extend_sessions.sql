-- A session must occur only once in the arrays. Metric types are text, because an array of arrays
-- must be rectangular.
UPDATE session AS s SET
    point_count  = s.point_count + t.points,
    t_min        = LEAST(s.t_min, t.t_min),
    t_max        = GREATEST(s.t_max, t.t_max),
    metric_types = (SELECT array_agg(DISTINCT m ORDER BY m) FROM unnest(s.metric_types || t.metric_types::integer[]) AS m)
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[])
    AS t (session_id, user_id, points, t_min, t_max, metric_types)
WHERE s.session_id = t.session_id AND s.user_id = t.user_id
