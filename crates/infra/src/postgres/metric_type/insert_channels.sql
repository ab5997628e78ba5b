INSERT INTO channel (metric_type_id, pointer, position)
SELECT $1, p.pointer, (SELECT count(*) FROM channel WHERE metric_type_id = $1) + p.k - 1
FROM unnest($2::text[]) WITH ORDINALITY AS p (pointer, k)
ORDER BY p.k
