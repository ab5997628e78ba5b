SELECT m.id, m.series, m.schema, m.description, m.unit, m.generation, m.schema_generation, m.created_at, m.updated_at,
       ARRAY(SELECT id FROM channel WHERE metric_type_id = m.id ORDER BY position) AS channel_ids,
       ARRAY(SELECT pointer FROM channel WHERE metric_type_id = m.id ORDER BY position) AS pointers
FROM metric_type AS m WHERE m.id = $1
