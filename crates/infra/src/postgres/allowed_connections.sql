-- The connections that the server has for roles like ours, and those that others hold now.
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS allowed,
       (SELECT count(*)::int FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name <> $1) AS others
