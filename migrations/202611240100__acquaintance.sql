-- migrate:up
-- API processes remember tokens and readers; each is told when one changes.
CREATE OR REPLACE FUNCTION tell_of_acquaintance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('quiver_acquaintance', '');
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER token_tell AFTER UPDATE OR DELETE ON token
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_acquaintance();
CREATE OR REPLACE TRIGGER reader_tell AFTER UPDATE OR DELETE ON reader
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_acquaintance();
CREATE OR REPLACE TRIGGER reader_binding_tell AFTER INSERT OR UPDATE OR DELETE ON reader_binding
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_acquaintance();

-- migrate:down
DROP TRIGGER IF EXISTS reader_binding_tell ON reader_binding;
DROP TRIGGER IF EXISTS reader_tell ON reader;
DROP TRIGGER IF EXISTS token_tell ON token;
DROP FUNCTION IF EXISTS tell_of_acquaintance();
