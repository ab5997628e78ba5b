-- Bytes of rows and indexes of every table that grows with the data.
-- Partitions count under the name of their table.
SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE 'block' END AS name,
       sum(pg_table_size(c.oid))::bigint AS rows,
       sum(pg_indexes_size(c.oid))::bigint AS indexes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND (n.nspname = 'public'
       AND c.relname IN ('block', 'session', 'session_part', 'day_summary', 'user_version')
       OR n.nspname = '_timescaledb_internal' AND c.relname LIKE '\_hyper\_%')
GROUP BY 1
ORDER BY 1
