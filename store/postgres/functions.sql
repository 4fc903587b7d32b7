-- The steps of the store. Every step that writes begins with editlock_enter.
-- store.Run, Settle and Apply say the same in Go; package storetest compares.

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

-- Performs requests one after the other in one transaction: a commit for all.
-- A row comes back for each swap, in order: state is 0 refused, 1 done,
-- 2 replayed, 3 not tried as a transaction guards one of its names; token and
-- what follows is the record in force, NULL if there is none. One more row,
-- with req -1, tells the range of numbers given out and the news. Plain
-- requests, which the arrays from p_at on have as editlock_plain takes them,
-- have no rows if they were done: the last row has their places and tokens.
CREATE FUNCTION @schema@.editlock_swap(
  p_requests text[], p_process text, p_peers text[],
  p_at integer[], p_do integer[], p_id text[], p_name text[], p_session text[], p_user text[], p_value text[], p_data text[],
  p_idle bigint[], p_max bigint[], p_token bigint[], p_kind text[], p_reason text[], p_as_session text[], p_as_user text[], p_as_value text[]
)
RETURNS TABLE (
  req integer, state integer, o_now bigint, o_token bigint, o_session text, o_user text, o_value text, o_data text,
  o_idle bigint, o_max bigint, o_taken bigint, o_touched bigint, o_expires bigint, o_request text,
  waiting bigint, waiters jsonb, news text[], plain integer[], tokens bigint[]
) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $fn$
DECLARE
  now     bigint := @schema@.editlock_enter();
  start   bigint; -- the last number given out before
  num     bigint; -- and now
  logged  bigint; -- the last number that the log or the meta row has
  queues  boolean; -- whether anybody waits for anything
  watched boolean;
  said    text[] := '{}'; -- news
  done    integer[] := '{}'; -- places of the plain requests that were done
  nums    bigint[] := '{}'; -- and their tokens
  r       jsonb;
  swaps   jsonb;
  n       integer;
  sw      jsonb;
  nm      text;
  act     integer;
  x       jsonb; -- what a swap expects
  rec     @schema@.editlock_record;
  own     @schema@.editlock_record; -- whom an entry speaks of
  tick    @schema@.editlock_ticket;
  alive   boolean;
  waited  boolean;
  fits    boolean; -- the state, what the swap expects
  kept    boolean;
  unsettled boolean;
  entry   bigint; -- number of the entry to write
  note    jsonb;
  other   jsonb;
  by_id   text; -- request that the entry is of
BEGIN
  SELECT s.last_value, EXISTS (SELECT FROM @schema@.editlock_ticket),
      EXISTS (SELECT FROM @schema@.editlock_watcher w WHERE w.id <> p_process AND w.expires > now)
    INTO start, queues, watched FROM @schema@.editlock_seq s;
  num := start;
  logged := start;
  o_now := now;
  IF p_at <> '{}' THEN
    SELECT p.plain, p.tokens, p.num, p.logged INTO done, nums, num, logged
      FROM @schema@.editlock_plain(p_at, p_do, p_id, p_name, p_session, p_user, p_value, p_data, p_idle, p_max,
        p_token, p_kind, p_reason, p_as_session, p_as_user, p_as_value, now, start, queues) p;
  END IF;

  FOR q IN 0 .. array_length(p_requests, 1) - 1 LOOP
    req := q;
    CONTINUE WHEN q = ANY (done);
    r := p_requests[q + 1]::jsonb;
    swaps := r -> 'swaps';
    n := jsonb_array_length(swaps);
    state := 1;
    IF r ? 'id' AND EXISTS (
      SELECT FROM @schema@.editlock_log l WHERE l.request = r ->> 'id' AND l.request <> '' AND l.at > now - @window@
    ) THEN
      state := 2;
      -- The first try may have given up waiting for its standby. This commit
      -- waits in its place, if it has something to wait for.
      PERFORM pg_logical_emit_message(true, 'editlock', '');
    END IF;

    -- All names are settled, and all conditions judged, before anything is done.
    IF state = 1 THEN
      FOR i IN 0 .. n - 1 LOOP
        sw := swaps -> i;
        nm := sw ->> 'name';
        SELECT f.* INTO rec FROM @schema@.editlock_record f WHERE f.name = nm;
        unsettled := rec.expires <= now;
        IF queues AND unsettled IS NOT TRUE THEN
          unsettled := EXISTS (SELECT FROM @schema@.editlock_ticket t WHERE t.name = nm);
        END IF;
        IF unsettled THEN
          SELECT s.n_seq, s.n_logged, s.n_news, s.kept INTO num, logged, said, kept
            FROM @schema@.editlock_settle(nm, now, num, logged, said) s;
          IF kept THEN
            state := 3;
            EXIT;
          END IF;
          SELECT f.* INTO rec FROM @schema@.editlock_record f WHERE f.name = nm;
        END IF;
        CONTINUE WHEN state = 0;
        act := (sw -> 'do')::integer;
        x := sw -> 'x';
        waited := true;
        IF x ? 'waiting' THEN
          waited := EXISTS (
            SELECT FROM @schema@.editlock_ticket t JOIN @schema@.editlock_peer p ON p.id = t.peer AND p.expires > now WHERE t.name = nm);
        END IF;
        IF act >= 4 THEN
          tick := NULL;
          SELECT t.* INTO tick FROM @schema@.editlock_ticket t WHERE t.name = nm AND t.id = sw ->> 'ticket';
          alive := EXISTS (SELECT FROM @schema@.editlock_peer p WHERE p.id = tick.peer AND p.expires > now);
        END IF;
        fits := CASE
          WHEN act = 5 AND (NOT alive OR tick.peer <> coalesce(sw ->> 'peer', tick.peer)) THEN false
          WHEN act = 5 AND x IS NULL THEN true
          WHEN act = 4 AND rec.request = sw ->> 'ticket' THEN true
          WHEN x ? 'free' THEN rec.name IS NULL AND act = 1
          ELSE rec.name IS NOT NULL
            AND rec.token = coalesce((x -> 'token')::bigint, rec.token)
            AND rec.session = coalesce(x ->> 'session', rec.session)
            AND rec.data = coalesce(x ->> 'data', rec.data)
            AND waited
        END;
        IF fits IS NOT TRUE THEN
          state := 0;
        ELSIF n > 1 AND rec.name IS NOT NULL AND act IN (1, 3) THEN
          PERFORM FROM @schema@.editlock_record f WHERE f.name = nm FOR UPDATE SKIP LOCKED;
          IF NOT FOUND THEN
            state := 3;
            EXIT;
          END IF;
        END IF;
      END LOOP;
    END IF;

    IF state = 1 THEN
      FOR i IN 0 .. n - 1 LOOP
        IF n > 1 THEN
          sw := swaps -> i;
          nm := sw ->> 'name';
          act := (sw -> 'do')::integer;
          SELECT f.* INTO rec FROM @schema@.editlock_record f WHERE f.name = nm;
          IF act >= 4 THEN
            SELECT t.* INTO tick FROM @schema@.editlock_ticket t WHERE t.name = nm AND t.id = sw ->> 'ticket';
            alive := EXISTS (SELECT FROM @schema@.editlock_peer p WHERE p.id = tick.peer AND p.expires > now);
          END IF;
        END IF;
        note := sw -> 'note';
        other := NULL;
        by_id := coalesce(r ->> 'id', '');
        IF rec.name IS NOT NULL AND act IN (1, 3) THEN
          DELETE FROM @schema@.editlock_record d WHERE d.ctid =
            (SELECT l.ctid FROM @schema@.editlock_record l WHERE l.name = nm FOR UPDATE SKIP LOCKED);
          IF NOT FOUND THEN
            state := 3;
            EXIT;
          END IF;
        END IF;

        IF act = 1 THEN -- take
          IF rec.name IS NOT NULL THEN
            other := jsonb_build_object('s', rec.session, 'u', rec."user", 'v', rec.value);
          END IF;
          num := nextval('@schema@.editlock_seq');
          entry := num;
          INSERT INTO @schema@.editlock_record AS k
            (name, token, session, "user", value, data, idle, max_hold, taken, touched, expires, request)
            VALUES (nm, num, sw ->> 's', sw ->> 'u', sw ->> 'v', coalesce(sw ->> 'data', ''),
              (sw -> 'idle')::bigint, (sw -> 'max')::bigint, now, now,
              @schema@.editlock_expiry(now, now, (sw -> 'idle')::bigint, (sw -> 'max')::bigint, 0), by_id)
            RETURNING k.* INTO rec;
          own := rec;

        ELSIF act = 2 THEN -- touch
          rec.session := coalesce(sw ->> 's', rec.session);
          rec."user" := coalesce(sw ->> 'u', rec."user");
          rec.value := coalesce(sw ->> 'v', rec.value);
          rec.data := coalesce(sw ->> 'data', rec.data);
          rec.touched := now;
          IF coalesce((sw -> 'idle')::bigint, 0) <> 0 THEN
            rec.idle := greatest((sw -> 'idle')::bigint, 0);
          END IF;
          IF coalesce((sw -> 'max')::bigint, 0) <> 0 THEN
            rec.max_hold := greatest((sw -> 'max')::bigint, 0);
          END IF;
          rec.expires := @schema@.editlock_expiry(rec.taken, now, rec.idle, rec.max_hold, coalesce((sw -> 'confirm')::bigint, 0));
          UPDATE @schema@.editlock_record k SET session = rec.session, "user" = rec."user", value = rec.value, data = rec.data,
            idle = rec.idle, max_hold = rec.max_hold, touched = now, expires = rec.expires WHERE k.name = nm;
          own := rec;
          IF note IS NOT NULL THEN
            num := nextval('@schema@.editlock_seq');
            entry := num;
          END IF;

        ELSIF act = 3 THEN -- drop
          own := rec;
          rec := NULL;
          IF note IS NOT NULL THEN
            num := nextval('@schema@.editlock_seq');
            entry := num;
          END IF;
          IF queues THEN
            SELECT s.n_seq, s.n_logged, s.n_news INTO num, logged, said
              FROM @schema@.editlock_settle(nm, now, num, logged, said) s;
            SELECT f.* INTO rec FROM @schema@.editlock_record f WHERE f.name = nm;
            IF rec.name IS NOT NULL AND note ->> 'kind' = 'handed_over' THEN
              other := jsonb_build_object('s', rec.session, 'u', rec."user", 'v', rec.value);
            END IF;
          END IF;

        ELSIF act = 4 THEN -- join
          own := rec;
          by_id := ''; -- a retry of a join is known by its ticket, not by the log
          IF rec.request = sw ->> 'ticket' THEN
            note := NULL; -- granted already
          ELSIF alive THEN
            -- Somebody who waits already keeps the place, under the new peer.
            UPDATE @schema@.editlock_ticket t SET peer = sw ->> 'peer' WHERE t.name = nm AND t.id = sw ->> 'ticket';
            note := NULL;
          ELSE
            DELETE FROM @schema@.editlock_ticket t WHERE t.name = nm AND t.id = sw ->> 'ticket'; -- died, and lost the place
            num := nextval('@schema@.editlock_seq');
            entry := num;
            INSERT INTO @schema@.editlock_ticket (name, id, seq, peer, since, claim, asked, body)
              SELECT nm, sw ->> 'ticket', num, sw ->> 'peer', now,
                CASE WHEN c.after > 0 THEN now + c.after / 1000 END, CASE WHEN c.after > 0 THEN rec.token ELSE 0 END, sw -> 'body'
              FROM (SELECT (sw -> 'body' -> 'after')::bigint AS after) c;
            queues := true;
          END IF;

        ELSE -- leave
          own := rec;
          by_id := tick.id;
          other := tick.body -> 'holder';
          DELETE FROM @schema@.editlock_ticket t WHERE t.name = nm AND t.id = tick.id;
          said := said || ARRAY[tick.peer, tick.id, nm];
          IF note IS NOT NULL THEN
            num := nextval('@schema@.editlock_seq');
            entry := num;
          END IF;
        END IF;

        IF note IS NOT NULL THEN
          logged := greatest(logged, entry);
          kept := own.session = note ->> 's' AND own."user" = note ->> 'u' AND own.value = note ->> 'v'; -- the actor is the owner
          INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
              actor_session, actor_user, actor_value, other_session, other_user, other_value, reason, request)
            VALUES (entry, note ->> 'kind', nm, own.token, now, own.session, own."user", own.value,
              CASE WHEN NOT kept THEN note ->> 's' END, CASE WHEN NOT kept THEN note ->> 'u' END, CASE WHEN NOT kept THEN note ->> 'v' END,
              other ->> 's', other ->> 'u', other ->> 'v', note ->> 'reason', by_id);
        END IF;
      END LOOP;
    END IF;

    FOR i IN 0 .. n - 1 LOOP
      IF n > 1 OR state = 2 THEN
        nm := swaps -> i ->> 'name';
        SELECT f.* INTO rec FROM @schema@.editlock_record f WHERE f.name = nm;
      END IF;
      IF rec.expires <= now THEN
        rec := NULL;
      END IF;
      o_token := rec.token;
      o_session := rec.session;
      o_user := rec."user";
      o_value := rec.value;
      o_data := rec.data;
      o_idle := rec.idle;
      o_max := rec.max_hold;
      o_taken := rec.taken;
      o_touched := rec.touched;
      o_expires := rec.expires;
      o_request := rec.request;
      IF queues THEN
        SELECT w.waiting, w.waiters INTO waiting, waiters FROM @schema@.editlock_waiters(nm, now) w;
      END IF;
      RETURN NEXT;
    END LOOP;
  END LOOP;

  IF num > logged THEN
    UPDATE @schema@.editlock_meta m SET seq = num;
  END IF;
  IF said <> '{}' OR watched AND logged > start THEN
    PERFORM @schema@.editlock_tell(said, p_peers, now, watched AND logged > start);
  END IF;
  req := -1;
  state := (logged > start)::integer;
  o_taken := start;
  o_touched := num;
  news := said;
  plain := done;
  tokens := nums;
  RETURN NEXT;
END $fn$;

-- What editlock_swap returns, as one text.
CREATE FUNCTION @schema@.editlock_answer(
  p_requests text[], p_process text, p_peers text[],
  p_at integer[], p_do integer[], p_id text[], p_name text[], p_session text[], p_user text[], p_value text[], p_data text[],
  p_idle bigint[], p_max bigint[], p_token bigint[], p_kind text[], p_reason text[], p_as_session text[], p_as_user text[], p_as_value text[]
) RETURNS text LANGUAGE plpgsql AS $fn$
BEGIN
  RETURN (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(s))) FROM @schema@.editlock_swap(p_requests, p_process, p_peers, p_at, p_do, p_id, p_name,
    p_session, p_user, p_value, p_data, p_idle, p_max, p_token, p_kind, p_reason, p_as_session, p_as_user, p_as_value) s);
END $fn$;

-- Keeps a waiting process alive and returns its tickets.
CREATE FUNCTION @schema@.editlock_beat(p_peer text, p_ttl bigint) RETURNS text[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $fn$
DECLARE
  now bigint := @schema@.editlock_enter();
BEGIN
  IF NOT EXISTS (SELECT FROM @schema@.editlock_peer p WHERE p.id = p_peer AND p.expires > now) THEN
    DELETE FROM @schema@.editlock_ticket t WHERE t.peer = p_peer; -- it died: they are lost for good
  END IF;
  INSERT INTO @schema@.editlock_peer (id, expires) VALUES (p_peer, now + p_ttl)
    ON CONFLICT (id) DO UPDATE SET expires = excluded.expires;
  RETURN ARRAY(SELECT t.id FROM @schema@.editlock_ticket t WHERE t.peer = p_peer ORDER BY t.seq);
END $fn$;

-- Settles names that are due, up to a limit, and buries dead processes. more
-- tells that there may be more; kept that a name could not be settled as a
-- transaction guards it.
CREATE FUNCTION @schema@.editlock_sweep(
  p_limit integer, p_process text, p_peers text[],
  OUT first bigint, OUT last bigint, OUT grew boolean, OUT news text[], OUT more boolean, OUT kept boolean
) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $fn$
DECLARE
  now    bigint := @schema@.editlock_enter();
  logged bigint;
  nm     text;
  stays  boolean;
  n      integer := 0;
BEGIN
  SELECT s.last_value INTO first FROM @schema@.editlock_seq s;
  last := first;
  logged := first;
  news := '{}';
  kept := false;
  -- First: who stood behind the dead may have a claim.
  DELETE FROM @schema@.editlock_ticket t
    WHERE NOT EXISTS (SELECT FROM @schema@.editlock_peer p WHERE p.id = t.peer AND p.expires > now);
  DELETE FROM @schema@.editlock_peer p WHERE p.expires <= now;
  DELETE FROM @schema@.editlock_watcher w WHERE w.expires <= now;
  FOR nm IN SELECT d.name FROM @schema@.editlock_due(now) d LIMIT p_limit LOOP
    SELECT s.n_seq, s.n_logged, s.n_news, s.kept INTO last, logged, news, stays
      FROM @schema@.editlock_settle(nm, now, last, logged, news) s;
    kept := kept OR stays;
    n := n + 1;
  END LOOP;
  more := n = p_limit AND NOT kept;
  grew := logged > first;
  IF last > logged THEN
    UPDATE @schema@.editlock_meta m SET seq = last;
  END IF;
  PERFORM @schema@.editlock_tell(news, p_peers, now,
    grew AND EXISTS (SELECT FROM @schema@.editlock_watcher w WHERE w.id <> p_process));
END $fn$;

-- Forgets the log up to a number. Tokens rise for ever, although the last one
-- may be forgotten.
CREATE FUNCTION @schema@.editlock_prune(p_to bigint) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $fn$
BEGIN
  PERFORM @schema@.editlock_enter();
  DELETE FROM @schema@.editlock_log l WHERE l.seq <= p_to;
  UPDATE @schema@.editlock_meta m SET floor = greatest(m.floor, p_to), seq = greatest(m.seq, p_to);
END $fn$;

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
