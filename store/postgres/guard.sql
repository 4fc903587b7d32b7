-- The guard, for the transactions of applications: it fails, and the
-- transaction with it, unless the token is the one in force of somebody alone
-- under one of the names, and keeps the mutex where it is until the transaction ends. KEY SHARE lets its holder
-- refresh it meanwhile, and stands in the way of whatever would end the hold.
-- It runs with its owner's rights, so that roles of applications need none on
-- the tables.
CREATE FUNCTION @schema@.editlock_guard(p_names text[], p_token bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  hold @schema@.editlock_row;
BEGIN
  SELECT r.* INTO hold FROM @schema@.editlock_row r
    WHERE r.k = ANY (ARRAY(SELECT convert_to('h' || n, 'UTF8') FROM unnest(p_names) n)) AND r.rev = p_token FOR KEY SHARE;
  IF hold.due > @schema@.editlock_now(false) THEN
    RETURN; -- the clock was read after the row was locked
  END IF;
  RAISE EXCEPTION 'editlock: token % of % is not in force', p_token, p_names[1]
    USING ERRCODE = 'EL001', HINT = 'Another may have written since: read again, and capture the mutex again.';
END $fn$;

CREATE FUNCTION @schema@.editlock_guard(p_name text, p_token bigint) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
  SELECT @schema@.editlock_guard(ARRAY[p_name], p_token);
$fn$;
