-- Servers tell each other of what others wait for: a market's state, its rounds.

CREATE FUNCTION market_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('walras_market', NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER market_news AFTER UPDATE OF state ON market
    FOR EACH ROW EXECUTE FUNCTION market_news();

CREATE FUNCTION round_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('walras_market', NEW.market);
    RETURN NULL;
END $$;
CREATE TRIGGER round_news AFTER INSERT OR UPDATE OF deadline, closed_at ON round
    FOR EACH ROW EXECUTE FUNCTION round_news();
