-- A session must occur only once in the arrays. Part 0 is the write under a key that created the
-- session.
INSERT INTO session_part (session_id, user_id, part_no, digest, idempotency_key, total_points, version)
SELECT t.session_id, t.user_id,
       CASE WHEN t.created THEN 0 ELSE
           (SELECT COALESCE(max(p.part_no), 0) + 1 FROM session_part AS p
            WHERE p.session_id = t.session_id AND p.user_id = t.user_id)
       END,
       t.digest, t.idempotency_key, t.total_points, t.version
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[])
    AS t (session_id, user_id, digest, idempotency_key, total_points, version, created)
