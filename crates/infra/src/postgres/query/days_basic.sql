-- Merged day summaries per channel and window, and per user if $6 is true. $5 contains the start and end
-- of each window of days, so that odd slots are inside windows.
-- Among zeros, the least is -0.0 and the greatest 0.0. They are equal to <, hence the tests of the text.
SELECT CASE WHEN $6 THEN user_id END AS one_user, channel_id, width_bucket(day, $5::date[]) AS slot,
       sum(n)::bigint AS n, sum(sum) AS sum,
       CASE WHEN min(min) = 0 AND bool_or(min = 0 AND min::text = '-0') THEN '-0' ELSE min(min) END AS min,
       CASE WHEN max(max) = 0 AND bool_or(max = 0 AND max::text = '0') THEN 0 ELSE max(max) END AS max
FROM day_summary
WHERE user_id = ANY ($1) AND channel_id = ANY ($2) AND day >= $3 AND day < $4
  AND width_bucket(day, $5::date[]) % 2 = 1
GROUP BY one_user, channel_id, slot
