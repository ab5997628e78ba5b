-- Plain rows for psql, BI tools and Grafana.

CREATE FUNCTION block_times(t_min timestamptz, n smallint, time_unit integer, time_step integer, time_deltas integer[])
RETURNS TABLE (place integer, "time" timestamptz)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 300 AS $$
    SELECT i, t_min + interval '1 microsecond' * (i::bigint * time_step * time_unit)
    FROM generate_series(0, n - 1) AS i
    WHERE time_deltas IS NULL
    UNION ALL
    SELECT (k - 1)::integer,
           t_min + interval '1 microsecond' * ((sum(delta) OVER (ORDER BY k)) * time_unit)::double precision
    FROM unnest(array_prepend(0, time_deltas)) WITH ORDINALITY AS d (delta, k)
    WHERE time_deltas IS NOT NULL
$$;

CREATE FUNCTION block_values(
    n smallint, scales smallint[], values_int2 smallint[], values_int4 integer[],
    values_float4 real[], values_float8 double precision[])
RETURNS TABLE ("position" integer, place integer, value double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 300 AS $$
    SELECT ((k - 1) / n)::integer, ((k - 1) % n)::integer,
           v / power(10::double precision, COALESCE(scales[(k - 1) / n + 1], 0))
    FROM unnest(values_int2) WITH ORDINALITY AS i2 (v, k)
    UNION ALL
    SELECT ((k - 1) / n)::integer, ((k - 1) % n)::integer,
           v / power(10::double precision, COALESCE(scales[(k - 1) / n + 1], 0))
    FROM unnest(values_int4) WITH ORDINALITY AS i4 (v, k)
    UNION ALL
    SELECT ((k - 1) / n)::integer, ((k - 1) % n)::integer, v
    FROM unnest(values_float4) WITH ORDINALITY AS f4 (v, k)
    UNION ALL
    SELECT ((k - 1) / n)::integer, ((k - 1) % n)::integer, v
    FROM unnest(values_float8) WITH ORDINALITY AS f8 (v, k)
$$;

-- Puts a value together: the rest, and every number that the rest does not have already.
CREATE FUNCTION point_value(pointers text[], numbers double precision[], rest json)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    value jsonb := rest::jsonb;
    path text[];
BEGIN
    FOR i IN 1 .. COALESCE(array_length(numbers, 1), 0) LOOP
        CONTINUE WHEN numbers[i] IS NULL;
        IF pointers[i] = '' THEN
            value := COALESCE(value, to_jsonb(numbers[i]));
            CONTINUE;
        END IF;
        SELECT array_agg(replace(replace(token, '~1', '/'), '~0', '~') ORDER BY k) INTO path
        FROM unnest(string_to_array(substr(pointers[i], 2), '/')) WITH ORDINALITY AS t (token, k);
        CONTINUE WHEN value #> path IS NOT NULL;
        value := COALESCE(value, '{}');
        FOR depth IN 1 .. array_length(path, 1) - 1 LOOP
            IF value #> path[1:depth] IS NULL THEN
                value := jsonb_set(value, path[1:depth], '{}');
            END IF;
        END LOOP;
        value := jsonb_set(value, path, to_jsonb(numbers[i]));
    END LOOP;
    RETURN value;
END
$$;

CREATE VIEW timeseries_value AS
SELECT b.user_id, b.session_id, m.series,
       CASE c.pointer WHEN '' THEN 'value' ELSE replace(replace(replace(substr(c.pointer, 2), '/', '.'), '~1', '/'), '~0', '~') END AS leaf,
       t.time, v.value, b.t_min AS block_start
FROM block AS b
JOIN metric_type AS m ON m.id = b.metric_type_id
CROSS JOIN LATERAL block_times(b.t_min, b.n, b.time_unit, b.time_step, b.time_deltas) AS t
JOIN LATERAL block_values(b.n, b.scales, b.values_int2, b.values_int4, b.values_float4, b.values_float8) AS v
    ON v.place = t.place
JOIN channel AS c ON c.metric_type_id = b.metric_type_id AND c.position = v.position
WHERE v.value IS NOT NULL;
COMMENT ON VIEW timeseries_value IS 'A row a number. Filter on block_start (within a day before time) to read few partitions.';

CREATE VIEW timeseries_point AS
SELECT b.user_id, b.session_id, m.series, t.time,
       point_value(m.pointers, v.numbers, r.rest) AS value,
       b.t_min AS block_start
FROM block AS b
JOIN (
    SELECT mt.id, mt.series, array_agg(c.pointer ORDER BY c.position) AS pointers
    FROM metric_type AS mt LEFT JOIN channel AS c ON c.metric_type_id = mt.id
    GROUP BY mt.id, mt.series
) AS m ON m.id = b.metric_type_id
CROSS JOIN LATERAL block_times(b.t_min, b.n, b.time_unit, b.time_step, b.time_deltas) AS t
LEFT JOIN LATERAL (
    SELECT bv.place, array_agg(bv.value ORDER BY bv.position) AS numbers
    FROM block_values(b.n, b.scales, b.values_int2, b.values_int4, b.values_float4, b.values_float8) AS bv
    GROUP BY bv.place
) AS v ON v.place = t.place
LEFT JOIN LATERAL (
    SELECT e.key::integer AS place, e.value AS rest FROM json_each(b.remainder) AS e
) AS r ON r.place = t.place;
COMMENT ON VIEW timeseries_point IS 'A row a point, its whole value as jsonb. Much slower than timeseries_value.';
