-- A commit that is written to the log, and so confirmed as any other, synchronous standbys included.
SELECT pg_logical_emit_message(true, 'heartbeat', '')
