-- Sessions kept as columns: see docs/ARCHITECTURE.md and docs/adr/0001-sessions-as-blocks.md.

CREATE TABLE catalogue (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation bigint NOT NULL
);
COMMENT ON TABLE catalogue IS 'One row. The generation rises with every change of a metric type.';
-- Begins anywhere, so that a cache shared with another database, or with one that was here before, has other keys.
INSERT INTO catalogue (generation) VALUES ((random() * 1e15)::bigint);

CREATE TABLE metric_type (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series      text NOT NULL UNIQUE,
    schema      jsonb NOT NULL,
    description text NOT NULL DEFAULT '',
    unit        text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE channel (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric_type_id integer NOT NULL REFERENCES metric_type ON DELETE CASCADE,
    pointer        text NOT NULL,
    position       integer NOT NULL,
    UNIQUE (metric_type_id, pointer),
    UNIQUE (metric_type_id, position)
);
COMMENT ON TABLE channel IS 'A numeric leaf of a metric type. Its position is its column in every block.';

CREATE TABLE user_version (
    user_id uuid PRIMARY KEY,
    version bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE user_version IS 'Raised by every change of the user''s data; its row is the user''s lock.';

CREATE TABLE session (
    user_id      uuid NOT NULL,
    session_id   uuid NOT NULL,
    start_ts     timestamptz,
    t_min        timestamptz,
    t_max        timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    point_count  integer NOT NULL,
    digest       bytea NOT NULL,
    metric_types integer[] NOT NULL,
    PRIMARY KEY (session_id, user_id)
);
CREATE INDEX session_newest ON session
    (user_id, (COALESCE(start_ts, '-infinity'::timestamptz)), session_id);

CREATE TABLE block (
    user_id        uuid NOT NULL,
    session_id     uuid NOT NULL,
    t_min          timestamptz NOT NULL,
    t_max          timestamptz NOT NULL,
    metric_type_id integer NOT NULL,
    seq            integer NOT NULL,
    time_unit      integer NOT NULL,
    time_step      integer,
    n              smallint NOT NULL,
    time_deltas    integer[],
    scales         smallint[],
    values_int2    smallint[],
    values_int4    integer[],
    values_float4  real[],
    values_float8  double precision[],
    remainder      json,
    summaries      double precision[]
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
-- Not unique, and short: docs/adr/0006-a-short-index-on-blocks.md.
CREATE INDEX block_by_series ON block (user_id, metric_type_id, t_min);
COMMENT ON TABLE block IS 'Points of one series of one session in one UTC day, as columns.';
COMMENT ON COLUMN block.time_unit IS 'Microseconds in a unit of time_step and time_deltas.';
COMMENT ON COLUMN block.time_step IS 'Every point''s distance from the one before, or NULL: see time_deltas.';
COMMENT ON COLUMN block.scales IS 'Decimal scale of each channel''s integers; NULL: all 0.';
COMMENT ON COLUMN block.values_int2 IS 'Channel-major; exactly one of the values columns is set if there are channels.';
COMMENT ON COLUMN block.remainder IS 'By place in the block, what no channel gives back. json, since jsonb drops the sign of -0.0.';
COMMENT ON COLUMN block.summaries IS
    'Nine numbers a channel: n, sum, m2, min, max, first_at, first, last_at, last; times in microseconds after t_min. NULL under 16 points.';

CREATE TABLE day_summary (
    user_id    uuid NOT NULL,
    channel_id integer NOT NULL,
    day        date NOT NULL,
    n          bigint NOT NULL,
    sum        double precision NOT NULL,
    m2         double precision NOT NULL,
    min        double precision NOT NULL,
    max        double precision NOT NULL,
    first_at   timestamptz NOT NULL,
    first      double precision NOT NULL,
    last_at    timestamptz NOT NULL,
    last       double precision NOT NULL,
    PRIMARY KEY (user_id, channel_id, day)
) WITH (fillfactor = 80);
COMMENT ON TABLE day_summary IS 'The merge of all block summaries of a user, channel and UTC day; kept in the writing transaction.';

-- The order of first, last, min and max: as <, but -0.0 comes before 0.0, so that the order of merging shows nowhere.
CREATE FUNCTION precedes(a double precision, b double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT a < b OR (a = 0 AND b = 0 AND a::text = '-0' AND b::text = '0')
$$;

-- Merges ARRAY[n, sum, m2] states, with the server's own formula.
CREATE AGGREGATE summary_merge (double precision[]) (
    SFUNC = float8_combine,
    STYPE = double precision[],
    COMBINEFUNC = float8_combine,
    PARALLEL = SAFE
);

-- Creates the partition for an instant: a row of nobody that is gone before anyone can see it leaves
-- its partition behind. Done apart from other writes, since it locks the whole table.
CREATE FUNCTION create_block_partition(t timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    nobody uuid := gen_random_uuid();
BEGIN
    INSERT INTO block (user_id, session_id, t_min, t_max, metric_type_id, seq, time_unit, n)
    VALUES (nobody, nobody, t, t, 0, 0, 1, 0);
    DELETE FROM block WHERE user_id = nobody AND metric_type_id = 0 AND t_min = t;
END
$$;

-- The migrator has created the extension if the server has it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('block', 't_min',
            chunk_time_interval => interval '7 days', create_default_indexes => false);
    END IF;
END
$$;
