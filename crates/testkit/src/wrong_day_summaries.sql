-- Day summaries recomputed from single points: the rows that only one side has, or that differ.
WITH points AS (
    SELECT v.user_id, c.id AS channel_id, (v.time AT TIME ZONE 'UTC')::date AS day, v.time, v.value
    FROM timeseries_value AS v
    JOIN metric_type AS m ON m.series = v.series
    JOIN channel AS c ON c.metric_type_id = m.id
        AND CASE c.pointer WHEN '' THEN 'value' ELSE replace(replace(replace(substr(c.pointer, 2), '/', '.'), '~1', '/'), '~0', '~') END = v.leaf
),
expected AS (
    SELECT user_id, channel_id, day, count(*) AS n, sum(value) AS sum, min(value) AS min, max(value) AS max,
           min(time) AS first_at, (array_agg(value ORDER BY time, value))[1] AS first,
           max(time) AS last_at, (array_agg(value ORDER BY time DESC, value DESC))[1] AS last,
           COALESCE(var_samp(value), 0) * greatest(count(*) - 1, 0) AS m2
    FROM points
    GROUP BY user_id, channel_id, day
)
SELECT format('expected %s, kept %s', to_json(e), to_json(k))
FROM expected AS e
FULL JOIN day_summary AS k USING (user_id, channel_id, day)
WHERE e.n IS DISTINCT FROM k.n OR e.min IS DISTINCT FROM k.min OR e.max IS DISTINCT FROM k.max
   OR e.first_at IS DISTINCT FROM k.first_at OR e.first IS DISTINCT FROM k.first
   OR e.last_at IS DISTINCT FROM k.last_at OR e.last IS DISTINCT FROM k.last
   OR abs(e.sum - k.sum) > 1e-9 * (1 + abs(e.sum)) OR abs(e.m2 - k.m2) > 1e-6 * (1 + abs(e.m2))
