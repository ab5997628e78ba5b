-- Earlier appends that the given appends may repeat: by key if the append has one, else by digest.
SELECT t.user_id, t.session_id, p.digest, p.idempotency_key, p.total_points, p.version, p.part_no = 0 AS created
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::text[]) AS t (session_id, user_id, digest, idempotency_key)
CROSS JOIN LATERAL (
    (SELECT s.digest, s.idempotency_key, s.total_points, s.version, s.part_no FROM session_part AS s
     WHERE s.session_id = t.session_id AND s.user_id = t.user_id AND s.idempotency_key = t.idempotency_key)
    UNION ALL
    (SELECT s.digest, s.idempotency_key, s.total_points, s.version, s.part_no FROM session_part AS s
     WHERE s.session_id = t.session_id AND s.user_id = t.user_id AND s.digest = t.digest
       AND t.idempotency_key IS NULL
     LIMIT 1)
) AS p
