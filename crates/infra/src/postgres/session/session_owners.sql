SELECT user_id FROM session WHERE session_id = $1 ORDER BY user_id
