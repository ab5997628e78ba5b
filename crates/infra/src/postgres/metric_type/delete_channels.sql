DELETE FROM channel WHERE metric_type_id = $1
