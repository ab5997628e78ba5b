SELECT date_trunc('week', time) AS bucket,
       percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY value)
FROM bench_row
WHERE user_id = ANY ($1)
  AND series = (SELECT id FROM metric_type WHERE metric_type.series = $2)
  AND time >= $3::text::timestamptz AND time < $4::text::timestamptz
GROUP BY 1
ORDER BY 1
