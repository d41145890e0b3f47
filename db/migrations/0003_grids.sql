-- Grids: a version is written once and never changes; a market names the version it is cleared on.

CREATE TYPE grid_model AS ENUM ('copperplate', 'dc', 'lindistflow');

CREATE TABLE grid (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE grid_version (
    grid text NOT NULL REFERENCES grid,
    version integer NOT NULL CHECK (version >= 1),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32), -- of what was put
    model grid_model NOT NULL,
    base_mva double precision NOT NULL CHECK (base_mva > 0 AND base_mva < 'Infinity'),
    slack text NOT NULL,
    slack_v_pu double precision NOT NULL CHECK (slack_v_pu > 0 AND slack_v_pu < 'Infinity'),
    rating_scale double precision NOT NULL CHECK (rating_scale > 0 AND rating_scale < 'Infinity'),
    overload_price_per_mwh double precision -- NULL: limits are hard
        CHECK (overload_price_per_mwh >= 0 AND overload_price_per_mwh < 'Infinity'),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL REFERENCES client,
    PRIMARY KEY (grid, version)
);

CREATE TABLE grid_bus (
    grid text NOT NULL,
    version integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    id text NOT NULL CHECK (id <> ''),
    base_kv double precision NOT NULL CHECK (base_kv >= 0 AND base_kv < 'Infinity'),
    v_min_pu double precision NOT NULL CHECK (v_min_pu >= 0),
    v_max_pu double precision CHECK (v_max_pu >= v_min_pu), -- NULL: none
    PRIMARY KEY (grid, version, id),
    UNIQUE (grid, version, position),
    FOREIGN KEY (grid, version) REFERENCES grid_version
);

ALTER TABLE grid_version ADD FOREIGN KEY (grid, version, slack)
    REFERENCES grid_bus (grid, version, id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE grid_line (
    grid text NOT NULL,
    version integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    id text NOT NULL CHECK (id <> ''),
    from_bus text NOT NULL,
    to_bus text NOT NULL CHECK (to_bus <> from_bus),
    r_pu double precision NOT NULL,
    x_pu double precision NOT NULL,
    b_pu double precision NOT NULL,
    limit_kw double precision CHECK (limit_kw >= 0 AND limit_kw < 'Infinity'), -- NULL: none
    tap double precision NOT NULL CHECK (tap > 0),
    shift_deg double precision NOT NULL,
    in_service boolean NOT NULL,
    PRIMARY KEY (grid, version, id),
    UNIQUE (grid, version, position),
    FOREIGN KEY (grid, version) REFERENCES grid_version,
    FOREIGN KEY (grid, version, from_bus) REFERENCES grid_bus (grid, version, id),
    FOREIGN KEY (grid, version, to_bus) REFERENCES grid_bus (grid, version, id)
);
