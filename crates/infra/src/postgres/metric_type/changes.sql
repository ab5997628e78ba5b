-- The catalogue's generation, in a row at least, the metric types changed since $1, and the numbers of those deleted since $2
-- (rows without a series), all as of one moment.
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
