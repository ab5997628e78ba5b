SELECT id, metric_type_id, position FROM channel WHERE metric_type_id = ANY ($1)
