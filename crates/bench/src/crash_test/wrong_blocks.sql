-- Blocks whose summary differs from that of their points.
SELECT format('block of session %s at %s', b.session_id, b.t_min)
FROM block AS b
JOIN (
    SELECT session_id, block_start,
           count(*) AS n, sum(value) AS sum, min(value) AS min, max(value) AS max
    FROM crash_test_value
    GROUP BY session_id, block_start
) AS p ON p.session_id = b.session_id AND p.block_start = b.t_min
WHERE p.n <> b.n
   OR b.summaries IS NOT NULL
  AND (p.n <> b.summaries[1] OR abs(p.sum - b.summaries[2]) > 1e-6
       OR p.min <> b.summaries[4] OR p.max <> b.summaries[5])
