SELECT id FROM metric_type WHERE series = $1
