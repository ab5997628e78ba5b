-- The values of one series of some users, ordered by time.
INSERT INTO bench_row (user_id, series, time, value)
SELECT v.user_id, m.id, v.time, v.value
FROM timeseries_value AS v
JOIN metric_type AS m ON m.series = v.series
WHERE v.user_id = ANY ($1) AND v.series = $2 AND v.leaf = 'value'
ORDER BY v.time
