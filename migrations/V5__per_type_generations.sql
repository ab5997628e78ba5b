-- Each metric type has the generation of its last change, so that a change concerns its own users only
-- (docs/adr/0015-per-type-generations.md). Triggers keep the generations, also for the release before.

ALTER TABLE metric_type
    ADD COLUMN generation bigint NOT NULL DEFAULT 0,
    ADD COLUMN schema_generation bigint NOT NULL DEFAULT 0;
UPDATE metric_type SET generation = c.generation, schema_generation = c.generation FROM catalogue AS c;
CREATE INDEX metric_type_by_generation ON metric_type (generation);
COMMENT ON COLUMN metric_type.generation IS 'The catalogue''s generation at the last change.';
COMMENT ON COLUMN metric_type.schema_generation IS
    'The catalogue''s generation at the last UPDATE of the schema, which ingest compares; not raised by changes of texts.';

CREATE TABLE metric_type_deletion (
    generation     bigint PRIMARY KEY,
    metric_type_id integer NOT NULL
);
COMMENT ON TABLE metric_type_deletion IS
    'The metric types deleted in the last 100,000 generations. Whoever knows an older generation reads the whole catalogue.';

-- The row of the catalogue is locked until the commit, so generations are committed in their order.
-- BEFORE, so that it is locked before anything that the insert of the same name would wait for.
CREATE FUNCTION stamp_metric_type() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalogue SET generation = catalogue.generation + 1 RETURNING catalogue.generation INTO NEW.generation;
    RETURN NEW;
END
$$;
CREATE FUNCTION stamp_metric_type_schema() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.schema_generation := NEW.generation;
    RETURN NEW;
END
$$;
CREATE FUNCTION log_metric_type_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    UPDATE catalogue SET generation = catalogue.generation + 1 RETURNING catalogue.generation INTO raised;
    INSERT INTO metric_type_deletion (generation, metric_type_id) VALUES (raised, OLD.id);
    DELETE FROM metric_type_deletion AS d WHERE d.generation <= raised - 100000;
    RETURN OLD;
END
$$;
-- Triggers of one event run in the order of their names.
CREATE TRIGGER stamp_1 BEFORE INSERT OR UPDATE ON metric_type
    FOR EACH ROW EXECUTE FUNCTION stamp_metric_type();
CREATE TRIGGER stamp_2_schema BEFORE INSERT OR UPDATE OF schema ON metric_type
    FOR EACH ROW EXECUTE FUNCTION stamp_metric_type_schema();
CREATE TRIGGER log_deletion BEFORE DELETE ON metric_type
    FOR EACH ROW EXECUTE FUNCTION log_metric_type_deletion();

-- The metric types of which some users have a number: one probe of the primary key for each of their channels.
-- A metric type may come several times.
CREATE FUNCTION metric_types_with_numbers(users uuid[])
RETURNS TABLE (metric_type_id integer, schema_generation bigint)
LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    one uuid;
    seen integer;
BEGIN
    FOREACH one IN ARRAY users LOOP
        SELECT min(d.channel_id) INTO seen FROM day_summary AS d WHERE d.user_id = one;
        WHILE seen IS NOT NULL LOOP
            RETURN QUERY
                SELECT m.id, m.schema_generation
                FROM channel AS c JOIN metric_type AS m ON m.id = c.metric_type_id WHERE c.id = seen;
            SELECT min(d.channel_id) INTO seen FROM day_summary AS d WHERE d.user_id = one AND d.channel_id > seen;
        END LOOP;
    END LOOP;
END
$$;
