-- COPY has no parameters: a session setting contains the users.
COPY (
    SELECT *
    FROM block
    WHERE user_id = ANY (string_to_array(current_setting('bench.users'), ',')::uuid[])
) TO STDOUT (FORMAT BINARY)
