-- Blocks of one range, [$7, $8). Blocks do not span midnight, so that the start of the first day, $9,
-- bounds the index. A block is read whole if it has no summaries, if an edge of $4 cuts it, or if $6 is
-- true.
FROM block AS b
CROSS JOIN LATERAL (
    SELECT b.summaries IS NULL OR $6
        OR width_bucket(b.t_min, $4::timestamptz[]) <> width_bucket(b.t_max, $4::timestamptz[]) AS whole
) AS w
WHERE b.user_id = ANY ($1) AND b.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR b.session_id = $3)
  AND b.t_min >= $9 AND b.t_min < $8 AND b.t_max >= $7
