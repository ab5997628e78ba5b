-- Does not set the column schema, so that the schema's generation remains.
UPDATE metric_type SET description = $2, unit = $3, updated_at = now() WHERE id = $1
