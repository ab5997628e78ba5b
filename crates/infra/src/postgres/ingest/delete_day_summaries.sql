DELETE FROM day_summary AS d
USING unnest($2::int[], $3::date[]) AS t (metric_type_id, day)
JOIN channel AS c USING (metric_type_id)
WHERE d.user_id = $1 AND d.channel_id = c.id AND d.day = t.day
