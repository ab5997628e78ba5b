SELECT date_bin('5 minutes', time, '2000-01-01'::timestamptz) AS bucket,
       avg(value), min(value), max(value)
FROM bench_row
WHERE user_id = ANY ($1)
  AND series = (SELECT id FROM metric_type WHERE metric_type.series = $2)
  AND time >= $3::text::timestamptz AND time < $4::text::timestamptz
GROUP BY 1
ORDER BY 1
