-- The lag of a replica in seconds. A heartbeat commits every second, so that the lag is small on an
-- idle primary.
SELECT CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 ELSE 0 END AS lag
