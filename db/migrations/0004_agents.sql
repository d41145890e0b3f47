-- Agents: remote ones answer over the network, delegated ones are solved here from their devices.

CREATE TYPE agent_kind AS ENUM ('remote', 'delegated');

CREATE TABLE agent (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    kind agent_kind NOT NULL,
    bus text NOT NULL CHECK (bus <> ''),
    owner text NOT NULL REFERENCES client, -- who speaks for it
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agent_owner ON agent (owner);

CREATE TABLE device (
    agent text NOT NULL REFERENCES agent ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    id text NOT NULL CHECK (id <> ''),
    definition json NOT NULL CHECK (json_typeof(definition) = 'object'),
    PRIMARY KEY (agent, id),
    UNIQUE (agent, position)
);
