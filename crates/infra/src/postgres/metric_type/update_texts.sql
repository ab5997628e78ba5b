-- Does not name the column schema: the schema's generation stays.
UPDATE metric_type SET description = $2, unit = $3, updated_at = now() WHERE id = $1
