-- Offered, and preloaded: without that CREATE EXTENSION would end the connection.
SELECT 1
FROM pg_available_extensions AS e
WHERE e.name = 'timescaledb' AND EXISTS (SELECT FROM pg_settings AS s WHERE s.name LIKE 'timescaledb.%')
