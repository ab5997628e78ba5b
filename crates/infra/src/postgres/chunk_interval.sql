-- The chunk interval of the hypertable, in microseconds; no row for a plain table.
SELECT (extract(epoch FROM time_interval) * 1000000)::bigint
FROM timescaledb_information.dimensions
WHERE hypertable_schema = current_schema() AND hypertable_name = 'block' AND dimension_number = 1
