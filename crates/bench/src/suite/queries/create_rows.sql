-- The settings of the service's connections, and weeks in UTC.
SET timezone = 'UTC';
SET jit = off;
SET plan_cache_mode = force_custom_plan;
DROP TABLE IF EXISTS bench_row;
CREATE TABLE bench_row (
    user_id uuid NOT NULL,
    series  integer NOT NULL,
    time    timestamptz NOT NULL,
    value   double precision NOT NULL
);
CREATE INDEX bench_row_by_series ON bench_row (user_id, series, time);
