-- Blocks of many ranges of a hypertable: one scan from $7 to $8, filtered by the bounds of days in $9.
-- $10 is the start of the first range, the only one that may start within a day. See blocks_of_range for
-- the other parameters.
FROM block AS b
CROSS JOIN LATERAL (
    SELECT b.summaries IS NULL OR $6
        OR width_bucket(b.t_min, $4::timestamptz[]) <> width_bucket(b.t_max, $4::timestamptz[]) AS whole
) AS w
WHERE b.user_id = ANY ($1) AND b.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR b.session_id = $3)
  AND b.t_min >= $7 AND b.t_min < $8 AND b.t_max >= $10
  AND width_bucket(b.t_min, $9::timestamptz[]) % 2 = 1
