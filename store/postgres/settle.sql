-- What the steps of the store share: the clock, how a step begins, how a name is
-- brought up to date, and who is told. Every step that writes begins with
-- editlock_enter. store.Settle says the same in Go; package storetest compares.

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

-- Begins a step and returns its moment. All steps of a store are in the order
-- of one lock, which is held until the commit is visible to the next.
CREATE FUNCTION @schema@.editlock_enter() RETURNS bigint LANGUAGE plpgsql AS $fn$
BEGIN
  IF pg_advisory_xact_lock(@lock@) IS NULL THEN NULL; END IF; -- quicker than PERFORM
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- An older snapshot would not show what the lock's last owner wrote.
    RAISE EXCEPTION 'editlock needs the isolation level read committed, not %', current_setting('transaction_isolation')
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true); -- what is acknowledged is on disk
  END IF;
  RETURN @schema@.editlock_now();
END $fn$;

-- How many live tickets stand before a name, and the first of them.
CREATE FUNCTION @schema@.editlock_waiters(p_name text, p_now bigint) RETURNS TABLE (waiting bigint, waiters jsonb) LANGUAGE sql STABLE AS
$$
  SELECT count(*), jsonb_agg(q.body || jsonb_build_object(
      'id', q.id, 'seq', q.seq, 'peer', q.peer, 'since', q.since, 'claim', q.claim, 'asked', q.asked
    ) ORDER BY q.seq) FILTER (WHERE q.place <= @waiters@)
  FROM (
    SELECT t.*, row_number() OVER (ORDER BY t.seq) AS place
    FROM @schema@.editlock_ticket t JOIN @schema@.editlock_peer p ON p.id = t.peer AND p.expires > p_now
    WHERE t.name = p_name
  ) q
$$;

-- The names that want settling at a moment.
CREATE FUNCTION @schema@.editlock_due(p_now bigint) RETURNS TABLE (name text) LANGUAGE sql STABLE AS
$$
  SELECT r.name FROM @schema@.editlock_record r WHERE r.expires <= p_now
  UNION
  SELECT t.name FROM @schema@.editlock_ticket t JOIN @schema@.editlock_record r ON r.name = t.name
  WHERE t.claim <= p_now AND t.asked = r.token AND NOT EXISTS (
    SELECT FROM @schema@.editlock_ticket e JOIN @schema@.editlock_peer p ON p.id = e.peer AND p.expires > p_now
    WHERE e.name = t.name AND e.seq < t.seq)
$$;

-- What store.Settle does to a name. It takes and returns the last number given
-- out, the last one logged, and the news (peer, ticket and name in turn). kept tells
-- that the name stays as it is until a transaction that guards it has ended.
CREATE FUNCTION @schema@.editlock_settle(
  p_name text, p_now bigint, INOUT n_seq bigint, INOUT n_logged bigint, INOUT n_news text[], OUT kept boolean
) LANGUAGE plpgsql AS $fn$
DECLARE
  rec  @schema@.editlock_record;
  head @schema@.editlock_ticket;
  gone @schema@.editlock_ticket;
  who  jsonb;
  note jsonb;
BEGIN
  kept := false;
  SELECT r.* INTO rec FROM @schema@.editlock_record r WHERE r.name = p_name;
  SELECT t.* INTO head FROM @schema@.editlock_ticket t JOIN @schema@.editlock_peer p ON p.id = t.peer AND p.expires > p_now
    WHERE t.name = p_name ORDER BY t.seq LIMIT 1;
  who := head.body -> 'holder';
  IF rec.name IS NOT NULL THEN
    IF coalesce(rec.expires > p_now, true) AND (head.claim IS NULL OR head.asked <> rec.token OR head.claim > p_now) THEN
      RETURN;
    END IF;
    DELETE FROM @schema@.editlock_record d WHERE d.ctid =
      (SELECT l.ctid FROM @schema@.editlock_record l WHERE l.name = p_name FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      kept := true;
      RETURN;
    END IF;
    n_seq := nextval('@schema@.editlock_seq');
    n_logged := n_seq;
    IF rec.expires <= p_now THEN
      INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value, reason, request)
        VALUES (n_seq, 'expired', p_name, rec.token, rec.expires, rec.session, rec."user", rec.value, '', '');
    ELSE
      INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
          other_session, other_user, other_value, reason, request)
        VALUES (n_seq, 'handed_over', p_name, rec.token, p_now, rec.session, rec."user", rec.value,
          who ->> 's', who ->> 'u', who ->> 'v', 'no_answer', '');
    END IF;
  END IF;
  IF head.name IS NULL THEN
    RETURN;
  END IF;

  FOR gone IN SELECT t.* FROM @schema@.editlock_ticket t WHERE t.name = p_name AND t.seq <= head.seq ORDER BY t.seq LOOP
    n_news := n_news || ARRAY[gone.peer, gone.id, p_name];
  END LOOP;
  DELETE FROM @schema@.editlock_ticket t WHERE t.name = p_name AND t.seq <= head.seq;
  n_seq := nextval('@schema@.editlock_seq');
  INSERT INTO @schema@.editlock_record (name, token, session, "user", value, data, idle, max_hold, taken, touched, expires, request)
    SELECT p_name, n_seq, who ->> 's', who ->> 'u', who ->> 'v', head.body ->> 'data', b.idle, b.max, p_now, p_now,
      @schema@.editlock_expiry(p_now, p_now, b.idle, b.max, b.confirm), head.id
    FROM (SELECT (head.body ->> 'idle')::bigint AS idle, (head.body ->> 'max')::bigint AS max, (head.body ->> 'confirm')::bigint AS confirm) b;
  note := head.body -> 'note';
  IF note IS NOT NULL THEN
    n_logged := n_seq;
    INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
        actor_session, actor_user, actor_value, reason, request)
      VALUES (n_seq, note ->> 'kind', p_name, n_seq, p_now, who ->> 's', who ->> 'u', who ->> 'v',
        note ->> 's', note ->> 'u', note ->> 'v', note ->> 'reason', head.id);
  END IF;
END $fn$;

-- What stands under a name if a ticket was granted it, as editlock_swap answers.
CREATE FUNCTION @schema@.editlock_granted(p_name text, p_ticket text, p_now bigint) RETURNS TABLE (
  o_name text, o_now bigint, o_token bigint, o_session text, o_user text, o_value text, o_data text,
  o_idle bigint, o_max bigint, o_taken bigint, o_touched bigint, o_expires bigint, o_request text, waiting bigint, waiters jsonb
) LANGUAGE sql STABLE AS
$$
  SELECT r.name, p_now, r.token, r.session, r."user", r.value, r.data,
    r.idle, r.max_hold, r.taken, r.touched, r.expires, r.request, w.waiting, w.waiters
  FROM @schema@.editlock_record r, LATERAL @schema@.editlock_waiters(r.name, p_now) w
  WHERE r.name = p_name AND r.request = p_ticket
$$;

-- Tells those who listen, but not the process that did the step: it knows. Who
-- was granted a name is told what stands there now, if NOTIFY can carry that.
CREATE FUNCTION @schema@.editlock_tell(p_news text[], p_peers text[], p_now bigint, p_log boolean) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
  payload text;
BEGIN
  FOR i IN 1 .. coalesce(array_length(p_news, 1), 0) BY 3 LOOP
    IF p_news[i] <> ALL (p_peers) THEN
      payload := jsonb_build_array(p_news[i], p_news[i + 1],
        (SELECT to_jsonb(g) FROM @schema@.editlock_granted(p_news[i + 2], p_news[i + 1], p_now) g))::text;
      IF octet_length(payload) > @payload@ THEN
        payload := jsonb_build_array(p_news[i], p_news[i + 1])::text;
      END IF;
      IF octet_length(payload) > @payload@ THEN
        payload := ''; -- look for yourselves
      END IF;
      PERFORM pg_notify('@channel@', payload);
    END IF;
  END LOOP;
  IF p_log THEN
    PERFORM pg_notify('@channel@', 'log');
  END IF;
END $fn$;
