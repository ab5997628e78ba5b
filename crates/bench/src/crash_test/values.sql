-- A temporary copy, since decoding every block takes long.
CREATE TEMP TABLE crash_test_value AS SELECT session_id, block_start, value FROM timeseries_value
