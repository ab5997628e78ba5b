SELECT m.id, m.series, m.schema, m.description, m.unit, m.created_at, m.updated_at,
       COALESCE(array_agg(c.id ORDER BY c.position) FILTER (WHERE c.id IS NOT NULL), '{}') AS channel_ids,
       COALESCE(array_agg(c.pointer ORDER BY c.position) FILTER (WHERE c.id IS NOT NULL), '{}') AS pointers
FROM metric_type AS m LEFT JOIN channel AS c ON c.metric_type_id = m.id
WHERE $1::text IS NULL OR m.series = $1
GROUP BY m.id
