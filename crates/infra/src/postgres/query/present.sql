-- The metric types among $2 of which the users have a block that overlaps [$4, $5). $3 is the start of the
-- first day: blocks do not span midnight.
SELECT t.id AS metric_type_id
FROM unnest($2::integer[]) AS t (id)
WHERE EXISTS (
    SELECT FROM block AS b
    WHERE b.user_id = ANY ($1) AND b.metric_type_id = t.id AND ($6::uuid IS NULL OR b.session_id = $6)
      AND b.t_min >= $3 AND b.t_min < $5 AND b.t_max >= $4
)
