-- Takes back what was raised for sessions that turned out to change nothing.
UPDATE user_version AS v SET version = v.version - t.lower
FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, lower)
WHERE v.user_id = t.user_id
