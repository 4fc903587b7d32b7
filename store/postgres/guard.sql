-- The guard, for the transactions of applications: it fails, and the
-- transaction with it, unless the token is the one in force of somebody alone,
-- and keeps the mutex where it is until the transaction ends. KEY SHARE lets its holder
-- refresh it meanwhile, and stands in the way of whatever would end the hold.
-- It runs with its owner's rights, so that roles of applications need none on
-- the tables.
CREATE FUNCTION @schema@.editlock_guard(p_name text, p_token bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  hold @schema@.editlock_row;
BEGIN
  SELECT r.* INTO hold FROM @schema@.editlock_row r WHERE r.k = convert_to('h' || p_name, 'UTF8') FOR KEY SHARE;
  IF hold.rev = p_token AND hold.due > @schema@.editlock_now(false) THEN
    RETURN; -- the clock was read after the row was locked
  END IF;
  RAISE EXCEPTION 'editlock: token % of % is not in force', p_token, p_name
    USING ERRCODE = 'EL001', HINT = 'Another may have written since: read again, and capture the mutex again.';
END $fn$;
