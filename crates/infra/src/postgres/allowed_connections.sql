-- The maximum connections of unprivileged roles, and the open connections of other programs.
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS allowed,
       (SELECT count(*)::int FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name <> $1) AS others
