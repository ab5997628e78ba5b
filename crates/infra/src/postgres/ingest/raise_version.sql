-- The first statement of every write: the row is the user's lock.
INSERT INTO user_version (user_id, version) VALUES ($1, 1)
ON CONFLICT (user_id) DO UPDATE SET version = user_version.version + 1
RETURNING version
