-- Agents that answer together have the same weights: told once for all of them.

CREATE TABLE mix_weight (
    market text NOT NULL,
    mix integer NOT NULL CHECK (mix >= 0), -- which agents' it is: award.mix
    round integer NOT NULL,
    position integer NOT NULL,
    weight double precision NOT NULL CHECK (weight >= 0 AND weight <= 1.000001),
    PRIMARY KEY (market, mix, round, position),
    FOREIGN KEY (market, round, position) REFERENCES point (market, round, position)
);

ALTER TABLE award ADD COLUMN mix integer; -- NULL: delegated

UPDATE award w SET mix = n.mix FROM (
    SELECT market, agent, row_number() OVER (PARTITION BY market ORDER BY agent) - 1 AS mix
    FROM (SELECT DISTINCT market, agent FROM award_weight) AS d
) AS n WHERE w.market = n.market AND w.agent = n.agent;

INSERT INTO mix_weight (market, mix, round, position, weight)
SELECT x.market, w.mix, x.round, x.position, x.weight
FROM award_weight x JOIN award w ON w.market = x.market AND w.agent = x.agent;

DROP TABLE award_weight;
