SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND (n.nspname = 'public' AND c.relname IN ('block', 'session', 'day_summary', 'user_version')
       OR n.nspname = '_timescaledb_internal' AND c.relname LIKE '\_hyper\_%')
