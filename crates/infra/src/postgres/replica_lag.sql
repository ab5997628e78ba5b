-- How far a replica is behind, in seconds. A heartbeat commits every second, so that this is small where nobody else writes.
SELECT CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 ELSE 0 END AS lag
