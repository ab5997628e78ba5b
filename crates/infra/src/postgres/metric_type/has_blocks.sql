SELECT EXISTS (SELECT FROM block WHERE metric_type_id = $1)
