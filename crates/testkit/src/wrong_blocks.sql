-- Blocks of a session and series that overlap or are in the wrong order, and sessions that differ from
-- their blocks.
WITH ordered AS (
    SELECT session_id, seq, t_min, t_max, lead(t_min) OVER w AS next_min, lead(seq) OVER w AS next_seq
    FROM block
    WINDOW w AS (PARTITION BY user_id, session_id, metric_type_id ORDER BY t_min, seq)
), counted AS (
    SELECT user_id, session_id, sum(n) AS points, min(t_min) AS t_min, max(t_max) AS t_max,
           array_agg(DISTINCT metric_type_id ORDER BY metric_type_id) AS metric_types
    FROM block GROUP BY user_id, session_id
)
SELECT format('blocks %s and %s of session %s meet at %s', seq, next_seq, session_id, next_min)
FROM ordered
WHERE next_min < t_max OR (next_min = t_max AND next_seq < seq)
UNION ALL
SELECT format('session %s: %s points from %s to %s of %s, in blocks %s', s.session_id, s.point_count, s.t_min, s.t_max, s.metric_types, c)
FROM session AS s
LEFT JOIN counted AS c USING (user_id, session_id)
WHERE s.point_count <> COALESCE(c.points, 0) OR s.t_min IS DISTINCT FROM c.t_min OR s.t_max IS DISTINCT FROM c.t_max
   OR s.metric_types <> COALESCE(c.metric_types, '{}')
