UPDATE metric_type SET schema = $2, description = $3, unit = $4, updated_at = now() WHERE id = $1
