-- The version and the settings of the database, in words.
SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)
       || COALESCE((SELECT ' with TimescaleDB ' || extversion
                    FROM pg_extension
                    WHERE extname = 'timescaledb'), '')
       || ', shared_buffers ' || current_setting('shared_buffers')
       || ', fsync ' || current_setting('fsync')
