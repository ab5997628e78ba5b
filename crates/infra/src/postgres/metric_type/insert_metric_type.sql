INSERT INTO metric_type (series, schema, description, unit) VALUES ($1, $2, $3, $4)
ON CONFLICT (series) DO NOTHING
RETURNING id
