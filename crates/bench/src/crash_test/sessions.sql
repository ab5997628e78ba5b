-- Each session: the point count in its row (stated), and count and sum (in tenths) of its points.
SELECT COALESCE(s.session_id, p.session_id) AS session_id,
       s.point_count::bigint AS stated, p.points, p.tenths
FROM session AS s
FULL JOIN (
    SELECT session_id, count(*) AS points, round(sum(value) * 10)::bigint AS tenths
    FROM crash_test_value
    GROUP BY session_id
) AS p USING (session_id)
