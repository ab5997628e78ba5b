-- Every session was created once, and each creation raised its user's version by one.
SELECT format('user %s has version %s and %s sessions', v.user_id, v.version, count(s.session_id))
FROM user_version AS v
LEFT JOIN session AS s USING (user_id)
GROUP BY v.user_id, v.version
HAVING v.version <> count(s.session_id)
