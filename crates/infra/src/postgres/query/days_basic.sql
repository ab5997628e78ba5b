-- $5 holds the start and end of each window of days, so that odd slots lie inside windows.
SELECT channel_id, width_bucket(day, $5::date[]) AS slot,
       sum(n)::bigint AS n, sum(sum) AS sum, min(min) AS min, max(max) AS max
FROM day_summary
WHERE user_id = $1 AND channel_id = ANY ($2) AND day >= $3 AND day < $4
  AND width_bucket(day, $5::date[]) % 2 = 1
GROUP BY channel_id, slot
