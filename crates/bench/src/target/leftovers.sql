-- Scratch databases without connections.
SELECT datname::text
FROM pg_database AS d
WHERE datname ~ '^(stress|bench)_[0-9]+$'
  AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datname = d.datname)
