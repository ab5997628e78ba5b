-- The table of the original system: one row per point, with
-- the indexes of its documentation and foreign keys.
CREATE TABLE IF NOT EXISTS bench_original (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    session_id uuid NOT NULL,
    series_id  varchar(255) NOT NULL,
    time       timestamptz NOT NULL,
    value      jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS bench_original_point ON bench_original (time, series_id, session_id);
CREATE INDEX IF NOT EXISTS bench_original_session ON bench_original (session_id);
CREATE INDEX IF NOT EXISTS bench_original_series ON bench_original (series_id)
