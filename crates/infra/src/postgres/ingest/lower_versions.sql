-- Reverts the increments of versions for writes that change nothing.
UPDATE user_version AS v SET version = v.version - t.lower
FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, lower)
WHERE v.user_id = t.user_id
