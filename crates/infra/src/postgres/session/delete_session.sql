-- With what is known of its parts: who posts it again begins anew.
WITH parts AS (DELETE FROM session_part WHERE session_id = $1 AND user_id = $2)
DELETE FROM session WHERE session_id = $1 AND user_id = $2
