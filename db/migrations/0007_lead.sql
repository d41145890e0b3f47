-- Which server leads: whoever takes the lead raises the epoch, and what a clearing writes holds it.

CREATE TABLE lead (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO lead DEFAULT VALUES;
