-- Markets and who takes part.

CREATE TYPE market_state AS ENUM ('draft', 'open', 'clearing', 'cleared', 'failed', 'cancelled');

CREATE TABLE market (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    state market_state NOT NULL DEFAULT 'draft',
    grid text NOT NULL,
    grid_version integer NOT NULL,
    currency text NOT NULL CHECK (currency <> ''),
    start_at text NOT NULL, -- RFC 3339, with the offset it was given in
    step_minutes integer NOT NULL CHECK (step_minutes >= 1),
    steps integer NOT NULL CHECK (steps >= 1),
    supply json NOT NULL CHECK (json_typeof(supply) = 'array'),
    gap double precision NOT NULL CHECK (gap > 0 AND gap <= 1),
    points integer NOT NULL CHECK (points BETWEEN 1 AND 16),
    max_rounds integer NOT NULL CHECK (max_rounds BETWEEN 1 AND 10000),
    round_timeout_s double precision NOT NULL CHECK (round_timeout_s > 0
                                                     AND round_timeout_s <= 86400),
    max_misses integer NOT NULL CHECK (max_misses >= 1),
    why text, -- it failed
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL REFERENCES client,
    changed_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (grid, grid_version) REFERENCES grid_version (grid, version)
);
CREATE INDEX market_state_id ON market (state, id);

CREATE TABLE participant (
    market text NOT NULL REFERENCES market,
    agent text NOT NULL REFERENCES agent,
    fallback_kw double precision[], -- [steps] firm draw of one that does not answer; remote ones
    joined_at timestamptz NOT NULL DEFAULT now(),
    misses integer NOT NULL DEFAULT 0 CHECK (misses >= 0),
    suspended boolean NOT NULL DEFAULT false,
    PRIMARY KEY (market, agent)
);
CREATE INDEX participant_agent ON participant (agent);
