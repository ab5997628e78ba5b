-- The service's secret where SECRET_KEY is not set: the root of the keys that seal cursors and cached answers.
-- gen_random_uuid() draws from the server's cryptographic generator, 122 bits each.

CREATE TABLE service_secret (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    key bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
        CHECK (octet_length(key) >= 32)
);
COMMENT ON TABLE service_secret IS 'One row. UPDATE service_secret SET key = DEFAULT, then a restart, renews the secret: cursors and cached answers become invalid.';
REVOKE ALL ON service_secret FROM PUBLIC;

INSERT INTO service_secret DEFAULT VALUES;
