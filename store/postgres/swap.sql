-- The swaps. store.Run and Apply say the same in Go; package storetest compares.

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
