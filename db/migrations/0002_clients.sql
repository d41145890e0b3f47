-- Who may talk to the server: clients with hashed secrets, and the tokens they were given.

CREATE TYPE client_role AS ENUM ('operator', 'agent', 'aggregator', 'observer');

CREATE TABLE client (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    role client_role NOT NULL,
    secret_hash text NOT NULL CHECK (secret_hash <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE TABLE token (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    client text NOT NULL REFERENCES client,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX token_expires_at ON token (expires_at);
