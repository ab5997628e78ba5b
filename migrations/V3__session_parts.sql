-- What was appended to sessions, so that a retry is known and answered as before. The first part is in `session` itself.

CREATE TABLE session_part (
    user_id         uuid NOT NULL,
    session_id      uuid NOT NULL,
    part_no         integer NOT NULL,
    digest          bytea NOT NULL,
    idempotency_key text,
    total_points    bigint NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, user_id, part_no)
);
CREATE INDEX session_part_by_digest ON session_part (session_id, user_id, digest);
CREATE UNIQUE INDEX session_part_by_key ON session_part (session_id, user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
COMMENT ON TABLE session_part IS 'A row an append: what it is compared by, and what it was answered.';
COMMENT ON COLUMN session_part.total_points IS 'How many points the session had with it.';
COMMENT ON COLUMN session_part.version IS 'The user''s version after it.';
