-- Also deletes the records of appends, so that the same points can be appended to a new session.
WITH parts AS (DELETE FROM session_part WHERE session_id = $1 AND user_id = $2)
DELETE FROM session WHERE session_id = $1 AND user_id = $2
