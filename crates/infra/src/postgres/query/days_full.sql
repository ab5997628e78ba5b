-- As days_basic, with m2, and with first and last from the first and last day of each window.
WITH windows AS (
    SELECT user_id, channel_id, width_bucket(day, $5::date[]) AS slot,
           sum(n)::bigint AS n, sum(sum) AS sum,
           CASE WHEN min(min) = 0 AND bool_or(min = 0 AND min::text = '-0') THEN '-0' ELSE min(min) END AS min,
           CASE WHEN max(max) = 0 AND bool_or(max = 0 AND max::text = '0') THEN 0 ELSE max(max) END AS max,
           (summary_merge(ARRAY[n, sum, m2] ORDER BY day))[3] AS m2,
           min(day) AS first_day, max(day) AS last_day
    FROM day_summary
    WHERE user_id = ANY ($1) AND channel_id = ANY ($2) AND day >= $3 AND day < $4
      AND width_bucket(day, $5::date[]) % 2 = 1
    GROUP BY user_id, channel_id, slot
)
SELECT CASE WHEN $6 THEN w.user_id END AS one_user, w.channel_id, w.slot, w.n, w.sum, w.min, w.max, w.m2, f.first_at, f.first, l.last_at, l.last
FROM windows AS w
JOIN day_summary AS f ON f.user_id = w.user_id AND f.channel_id = w.channel_id AND f.day = w.first_day
JOIN day_summary AS l ON l.user_id = w.user_id AND l.channel_id = w.channel_id AND l.day = w.last_day
