-- COPY takes no parameters: the users come in a setting of the session.
COPY (
    SELECT * FROM block WHERE user_id = ANY (string_to_array(current_setting('bench.users'), ',')::uuid[])
) TO STDOUT (FORMAT BINARY)
