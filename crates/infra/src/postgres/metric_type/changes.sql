-- The catalogue's generation (in every row, and in at least one row), the metric types changed
-- after generation $1, and the ids of those deleted after generation $2 (rows without a series).
SELECT c.generation AS catalogue_generation, t.*
FROM catalogue AS c
LEFT JOIN (
    SELECT m.id, m.series, m.schema, m.description, m.unit, m.generation, m.schema_generation, m.created_at, m.updated_at,
           ARRAY(SELECT id FROM channel WHERE metric_type_id = m.id ORDER BY position) AS channel_ids,
           ARRAY(SELECT pointer FROM channel WHERE metric_type_id = m.id ORDER BY position) AS pointers
    FROM metric_type AS m WHERE m.generation > $1
    UNION ALL
    SELECT d.metric_type_id, NULL, NULL, NULL, NULL, d.generation, NULL, NULL, NULL, NULL, NULL
    FROM metric_type_deletion AS d WHERE d.generation > $2
) AS t ON true
