DELETE FROM metric_type WHERE id = $1
