-- The first statement of every group: the rows are the users' locks. Users come ascending, with how much to raise each.
INSERT INTO user_version (user_id, version)
SELECT user_id, raise FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, raise)
ON CONFLICT (user_id) DO UPDATE SET version = user_version.version + excluded.version
RETURNING user_id, version
