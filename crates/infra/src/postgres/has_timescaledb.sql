-- A row if TimescaleDB is available and preloaded. Otherwise CREATE EXTENSION ends the connection.
SELECT 1
FROM pg_available_extensions AS e
WHERE e.name = 'timescaledb' AND EXISTS (SELECT FROM pg_settings AS s WHERE s.name LIKE 'timescaledb.%')
