-- Rounds of a clearing, what was answered, and what came of it.

CREATE TABLE round (
    market text NOT NULL REFERENCES market,
    number integer NOT NULL CHECK (number >= 1),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deadline timestamptz NOT NULL CHECK (deadline > opened_at),
    closed_at timestamptz,
    bound double precision, -- of the market after it, and so on; NULL: not known
    objective double precision,
    gap double precision,
    PRIMARY KEY (market, number)
);

CREATE TABLE point (
    market text NOT NULL,
    round integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    price_per_mwh double precision[] NOT NULL, -- [buses x steps]
    PRIMARY KEY (market, round, position),
    FOREIGN KEY (market, round) REFERENCES round (market, number)
);

-- An answer of the agent itself, or what stands in for one that did not come.
CREATE TYPE response_origin AS ENUM ('agent', 'repeated', 'fallback');

CREATE TABLE response (
    market text NOT NULL,
    round integer NOT NULL,
    agent text NOT NULL,
    origin response_origin NOT NULL DEFAULT 'agent',
    draw_kw double precision[] NOT NULL, -- [points x steps]
    cost double precision[] NOT NULL,    -- [points]
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (market, round, agent),
    FOREIGN KEY (market, round) REFERENCES round (market, number),
    FOREIGN KEY (market, agent) REFERENCES participant (market, agent)
);

CREATE TABLE price (
    market text NOT NULL REFERENCES market,
    position integer NOT NULL CHECK (position >= 0),
    bus text NOT NULL,
    price_per_mwh double precision[] NOT NULL, -- [steps]
    PRIMARY KEY (market, bus),
    UNIQUE (market, position)
);

CREATE TABLE award (
    market text NOT NULL,
    agent text NOT NULL,
    draw_kw double precision[] NOT NULL, -- [steps]
    cost double precision,               -- as the agent told it; NULL: delegated
    PRIMARY KEY (market, agent),
    FOREIGN KEY (market, agent) REFERENCES participant (market, agent)
);

-- An award of a remote agent is the sum of its own answers, each times its weight.
CREATE TABLE award_weight (
    market text NOT NULL,
    agent text NOT NULL,
    round integer NOT NULL,
    position integer NOT NULL,
    weight double precision NOT NULL CHECK (weight >= 0 AND weight <= 1.000001),
    PRIMARY KEY (market, agent, round, position),
    FOREIGN KEY (market, agent) REFERENCES award (market, agent),
    FOREIGN KEY (market, round, position) REFERENCES point (market, round, position)
);

CREATE TABLE certificate (
    market text PRIMARY KEY REFERENCES market,
    body json NOT NULL
);

CREATE TABLE result (
    market text PRIMARY KEY REFERENCES market,
    body json NOT NULL
);
