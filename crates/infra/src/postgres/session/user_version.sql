SELECT version FROM user_version WHERE user_id = $1
