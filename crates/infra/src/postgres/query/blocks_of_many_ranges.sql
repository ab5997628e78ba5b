-- Blocks of many ranges of a plain table, with one index range each. See blocks_of_range for the
-- parameters.
FROM unnest($7::timestamptz[], $8::timestamptz[], $9::timestamptz[]) AS s (range_start, range_end, day_start)
CROSS JOIN LATERAL (
    SELECT * FROM block AS inside
    WHERE inside.user_id = ANY ($1) AND inside.metric_type_id = ANY ($2) AND ($3::uuid IS NULL OR inside.session_id = $3)
      AND inside.t_min >= s.day_start AND inside.t_min < s.range_end AND inside.t_max >= s.range_start
) AS b
CROSS JOIN LATERAL (
    SELECT b.summaries IS NULL OR $6
        OR width_bucket(b.t_min, $4::timestamptz[]) <> width_bucket(b.t_max, $4::timestamptz[]) AS whole
) AS w
