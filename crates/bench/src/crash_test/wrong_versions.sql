-- Each creation of a session and each append of a part raises the version of its user by one.
SELECT format('user %s has version %s, %s sessions and %s parts',
              v.user_id, v.version, s.count, p.count)
FROM user_version AS v
CROSS JOIN LATERAL (SELECT count(*) FROM session WHERE user_id = v.user_id) AS s
CROSS JOIN LATERAL (SELECT count(*) FROM session_part WHERE user_id = v.user_id) AS p
WHERE v.version <> s.count + p.count
