-- Who did what when: rows are only ever added, each carries a hash over itself and the row before.

CREATE TABLE audit (
    id bigint PRIMARY KEY CHECK (id >= 1),
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    action text NOT NULL CHECK (action <> ''),
    subject text NOT NULL,
    detail text NOT NULL,
    before bytea CHECK ((before IS NULL) = (id = 1)),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE FUNCTION audit_hash(id bigint, at timestamptz, actor text, action text, subject text,
                           detail text, before bytea) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(json_build_array(id, extract(epoch FROM at)::numeric::text, actor,
                                              action, subject, detail)::text, 'UTF8')
                  || coalesce(before, ''::bytea))
$$;

-- One writer at a time until its transaction ends, so that the chain has no forks and no gaps.
CREATE FUNCTION audit_chain() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(7741002);
    SELECT a.id, a.hash INTO last FROM audit a ORDER BY a.id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.before := last.hash;
    NEW.hash := audit_hash(NEW.id, NEW.at, NEW.actor, NEW.action, NEW.subject, NEW.detail,
                           NEW.before);
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_chain BEFORE INSERT ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_frozen BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_kept BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
