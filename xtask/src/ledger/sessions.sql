-- Each session as its row says, and as its points say.
SELECT COALESCE(s.session_id, p.session_id) AS session_id, s.point_count::bigint AS said, p.points, p.tenths
FROM session AS s
FULL JOIN (
    SELECT session_id, count(*) AS points, round(sum(value) * 10)::bigint AS tenths
    FROM ledger_value
    GROUP BY session_id
) AS p USING (session_id)
