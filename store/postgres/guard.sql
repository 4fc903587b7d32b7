-- The guard, for the transactions of applications: it fails, and the
-- transaction with it, unless the token is the one in force, and keeps the
-- mutex where it is until the transaction ends. KEY SHARE lets its holder
-- refresh it meanwhile, and stands in the way of whatever would end the hold.
-- It runs with its owner's rights, so that roles of applications need none on
-- the tables.
CREATE FUNCTION @schema@.editlock_guard(p_name text, p_token bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  rec @schema@.editlock_record;
BEGIN
  SELECT r.* INTO rec FROM @schema@.editlock_record r WHERE r.name = p_name FOR KEY SHARE;
  IF rec.token = p_token AND coalesce(rec.expires > @schema@.editlock_now(), true) THEN
    RETURN; -- the clock was read after the row was locked
  END IF;
  RAISE EXCEPTION 'editlock: token % of % is not in force', p_token, p_name
    USING ERRCODE = 'EL001', HINT = 'Another may have written since: read anew, and capture the mutex again.';
END $fn$;
