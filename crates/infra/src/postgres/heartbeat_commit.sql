-- Writes to the WAL, so that the commit is confirmed like any other, also by synchronous standbys.
SELECT pg_logical_emit_message(true, 'heartbeat', '')
