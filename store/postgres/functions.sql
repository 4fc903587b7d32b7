-- The store's clock. Tests replace it by one that they move.
CREATE FUNCTION @schema@.editlock_now() RETURNS bigint LANGUAGE sql AS
$$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;

-- When a record dies if it is not touched again; NULL: never.
CREATE FUNCTION @schema@.editlock_expiry(taken bigint, touched bigint, idle bigint, max_hold bigint, confirm bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT least(
  CASE WHEN idle > 0 THEN touched + idle / 1000 END,
  CASE WHEN max_hold > 0 THEN taken + max_hold / 1000 END,
  CASE WHEN confirm > 0 THEN touched + confirm / 1000 END) $$;

-- Begins a step: everything that gives out numbers is in the order of one
-- lock, which is held until the commit is visible.
CREATE FUNCTION @schema@.editlock_enter() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
  PERFORM pg_advisory_xact_lock(@lock@);
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- An older snapshot would not show what the lock's last owner wrote.
    RAISE EXCEPTION 'editlock needs the isolation level read committed, not %', current_setting('transaction_isolation')
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true); -- what is acknowledged is on disk
  END IF;
END $fn$;

-- How many live tickets stand before a name, and the first of them.
CREATE FUNCTION @schema@.editlock_waiters(p_name text, p_now bigint, OUT waiting bigint, OUT waiters jsonb) LANGUAGE sql STABLE AS
$$
  SELECT max(q.place), jsonb_agg(q.body || jsonb_build_object(
      'id', q.id, 'seq', q.seq, 'peer', q.peer, 'since', q.since, 'claim', q.claim, 'asked', q.asked
    ) ORDER BY q.seq) FILTER (WHERE q.place <= @waiters@)
  FROM (
    SELECT t.*, row_number() OVER (ORDER BY t.seq) AS place
    FROM @schema@.editlock_ticket t JOIN @schema@.editlock_peer p ON p.id = t.peer AND p.expires > p_now
    WHERE t.name = p_name
  ) q
$$;

-- What store.Settle does to a name. It takes and returns the counter, the last
-- number that the log has, and the news so far (peer and ticket in turn).
-- kept tells that the name must be left as it is, because a transaction that
-- guards it has not ended.
CREATE FUNCTION @schema@.editlock_settle(
  p_name text, p_now bigint, INOUT seq bigint, INOUT logged bigint, INOUT news text[], OUT kept boolean
) LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  rec  @schema@.editlock_record;
  head @schema@.editlock_ticket;
  gone @schema@.editlock_ticket;
BEGIN
  kept := false;
  SELECT r.* INTO rec FROM @schema@.editlock_record r WHERE r.name = p_name;
  SELECT t.* INTO head FROM @schema@.editlock_ticket t JOIN @schema@.editlock_peer p ON p.id = t.peer AND p.expires > p_now
    WHERE t.name = p_name ORDER BY t.seq LIMIT 1;
  IF rec.name IS NOT NULL THEN
    IF rec.expires <= p_now THEN
      NULL;
    ELSIF head.claim IS NULL OR head.asked <> rec.token OR head.claim > p_now THEN
      RETURN;
    END IF;
    DELETE FROM @schema@.editlock_record d WHERE d.ctid =
      (SELECT l.ctid FROM @schema@.editlock_record l WHERE l.name = p_name FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      kept := true;
      RETURN;
    END IF;
    seq := seq + 1;
    logged := seq;
    IF rec.expires <= p_now THEN
      INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value, reason, request)
        VALUES (editlock_settle.seq, 'expired', p_name, rec.token, rec.expires, rec.session, rec."user", rec.value, '', '');
    ELSE
      INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
          other_session, other_user, other_value, reason, request)
        VALUES (editlock_settle.seq, 'handed_over', p_name, rec.token, p_now, rec.session, rec."user", rec.value,
          head.body -> 'holder' ->> 's', head.body -> 'holder' ->> 'u', head.body -> 'holder' ->> 'v', 'no_answer', '');
    END IF;
  END IF;
  IF head.name IS NULL THEN
    RETURN;
  END IF;
  FOR gone IN SELECT * FROM @schema@.editlock_ticket t WHERE t.name = p_name AND t.seq <= head.seq ORDER BY t.seq LOOP
    news := news || ARRAY[gone.peer, gone.id];
  END LOOP;
  DELETE FROM @schema@.editlock_ticket t WHERE t.name = p_name AND t.seq <= head.seq;
  seq := seq + 1;
  INSERT INTO @schema@.editlock_record (name, token, session, "user", value, data, idle, max_hold, taken, touched, expires, request)
    VALUES (p_name, seq, head.body -> 'holder' ->> 's', head.body -> 'holder' ->> 'u', head.body -> 'holder' ->> 'v', head.body ->> 'data',
      (head.body ->> 'idle')::bigint, (head.body ->> 'max')::bigint, p_now, p_now,
      @schema@.editlock_expiry(p_now, p_now, (head.body ->> 'idle')::bigint, (head.body ->> 'max')::bigint, (head.body ->> 'confirm')::bigint),
      head.id);
  IF head.body ? 'note' THEN
    logged := seq;
    PERFORM @schema@.editlock_write(seq, head.body -> 'note', p_name, seq, p_now,
      head.body -> 'holder' ->> 's', head.body -> 'holder' ->> 'u', head.body -> 'holder' ->> 'v', NULL, NULL, NULL, head.id);
  END IF;
END $fn$;
