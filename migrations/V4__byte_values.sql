-- Most numbers span little: a byte a value, and what is added to the bytes of each channel (docs/adr/0011-a-byte-a-value.md).

ALTER TABLE block ADD COLUMN bases integer[], ADD COLUMN values_int1 bytea;
COMMENT ON COLUMN block.values_int1 IS 'Channel-major, a byte a value: see get_byte().';
COMMENT ON COLUMN block.bases IS 'What is added to the bytes of each channel before they are scaled; NULL: all 0.';

CREATE FUNCTION block_values(
    n smallint, scales smallint[], bases integer[], values_int1 bytea, values_int2 smallint[], values_int4 integer[],
    values_float4 real[], values_float8 double precision[])
RETURNS TABLE ("position" integer, place integer, value double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 300 AS $$
    SELECT k / n, k % n,
           (get_byte(bytes, k) + COALESCE(bases[k / n + 1], 0)) / power(10::double precision, COALESCE(scales[k / n + 1], 0))
    -- Unpacked once, and not for each byte.
    FROM (SELECT values_int1 || ''::bytea AS bytes OFFSET 0) AS unpacked, generate_series(0, octet_length(bytes) - 1) AS k
    UNION ALL
    SELECT v.position, v.place, v.value
    FROM block_values(n, scales, values_int2, values_int4, values_float4, values_float8) AS v
$$;

CREATE OR REPLACE VIEW timeseries_value AS
SELECT b.user_id, b.session_id, m.series,
       CASE c.pointer WHEN '' THEN 'value' ELSE replace(replace(replace(substr(c.pointer, 2), '/', '.'), '~1', '/'), '~0', '~') END AS leaf,
       t.time, v.value, b.t_min AS block_start
FROM block AS b
JOIN metric_type AS m ON m.id = b.metric_type_id
CROSS JOIN LATERAL block_times(b.t_min, b.n, b.time_unit, b.time_step, b.time_deltas) AS t
JOIN LATERAL block_values(b.n, b.scales, b.bases, b.values_int1, b.values_int2, b.values_int4, b.values_float4, b.values_float8) AS v
    ON v.place = t.place
JOIN channel AS c ON c.metric_type_id = b.metric_type_id AND c.position = v.position
WHERE v.value IS NOT NULL;

CREATE OR REPLACE VIEW timeseries_point AS
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
    FROM block_values(b.n, b.scales, b.bases, b.values_int1, b.values_int2, b.values_int4, b.values_float4, b.values_float8) AS bv
    GROUP BY bv.place
) AS v ON v.place = t.place
LEFT JOIN LATERAL (
    SELECT e.key::integer AS place, e.value AS rest FROM json_each(b.remainder) AS e
) AS r ON r.place = t.place;
