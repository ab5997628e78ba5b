-- Opening every block takes long: once is enough.
CREATE TEMP TABLE ledger_value AS SELECT session_id, block_start, value FROM timeseries_value
