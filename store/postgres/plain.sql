-- Plain requests: takes of free names, and drops, where nobody waits. They are
-- nearly all there is, and done with as few statements as they need. Functions
-- of swap.sql do the rest.

-- Performs the plain requests of a batch, all at once: takes (1) of free names and
-- drops (3), where nobody waits. Each array has an element for each of them; no
-- two of them have a name or an ID in common with another of the batch. What is
-- not that plain after all (refused, expired, guarded, a retry) is left alone.
CREATE FUNCTION @schema@.editlock_plain(
  p_at integer[], p_do integer[], p_id text[], p_name text[], p_session text[], p_user text[], p_value text[], p_data text[],
  p_idle bigint[], p_max bigint[], p_token bigint[], p_kind text[], p_reason text[], p_as_session text[], p_as_user text[], p_as_value text[],
  p_now bigint, p_start bigint, p_queues boolean,
  OUT plain integer[], OUT tokens bigint[], OUT num bigint, OUT logged bigint
) LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  dropped integer[];
  last    bigint;
BEGIN
  WITH t AS MATERIALIZED (
    SELECT i.*, nextval('@schema@.editlock_seq') AS n
    FROM unnest(p_at, p_do, p_id, p_name, p_session, p_user, p_value, p_data, p_idle, p_max, p_kind, p_reason, p_as_session, p_as_user, p_as_value)
      i (at, act, id, name, session, "user", value, data, idle, max, kind, reason, as_session, as_user, as_value)
    WHERE i.act = 1
      AND (SELECT k.token FROM @schema@.editlock_record k WHERE k.name = i.name) IS NULL
      AND (SELECT l.seq FROM @schema@.editlock_log l WHERE l.request = i.id AND l.request <> '' AND l.at > p_now - @window@ LIMIT 1) IS NULL
      AND NOT (p_queues AND EXISTS (SELECT FROM @schema@.editlock_ticket q WHERE q.name = i.name))
  ), k AS (
    INSERT INTO @schema@.editlock_record (name, token, session, "user", value, data, idle, max_hold, taken, touched, expires, request)
    SELECT t.name, t.n, t.session, t."user", t.value, t.data, t.idle, t.max, p_now, p_now,
      @schema@.editlock_expiry(p_now, p_now, t.idle, t.max, 0), t.id
    FROM t
  ), l AS (
    INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
      actor_session, actor_user, actor_value, reason, request)
    SELECT t.n, t.kind, t.name, t.n, p_now, t.session, t."user", t.value,
      CASE WHEN NOT a.same THEN t.as_session END, CASE WHEN NOT a.same THEN t.as_user END, CASE WHEN NOT a.same THEN t.as_value END,
      t.reason, t.id
    FROM t, LATERAL (SELECT t.session = t.as_session AND t."user" = t.as_user AND t.value = t.as_value AS same) a
    WHERE t.kind IS NOT NULL
  )
  SELECT array_agg(t.at), array_agg(t.n), max(t.n), max(t.n) FILTER (WHERE t.kind IS NOT NULL) INTO plain, tokens, num, logged FROM t;
  WITH i AS MATERIALIZED (
    SELECT i.*
    FROM unnest(p_at, p_do, p_id, p_name, p_session, p_data, p_token, p_kind, p_reason, p_as_session, p_as_user, p_as_value)
      i (at, act, id, name, session, data, token, kind, reason, as_session, as_user, as_value)
    WHERE i.act = 3
      AND (SELECT l.seq FROM @schema@.editlock_log l WHERE l.request = i.id AND l.request <> '' AND l.at > p_now - @window@ LIMIT 1) IS NULL
      AND NOT (p_queues AND EXISTS (SELECT FROM @schema@.editlock_ticket q WHERE q.name = i.name))
  ), d AS (
    DELETE FROM @schema@.editlock_record d WHERE d.ctid = ANY (ARRAY(
      SELECT (
        SELECT r.ctid FROM @schema@.editlock_record r WHERE r.name = i.name AND (r.expires IS NULL OR r.expires > p_now)
          AND r.token = coalesce(i.token, r.token) AND r.session = coalesce(i.session, r.session) AND r.data = coalesce(i.data, r.data)
        FOR UPDATE SKIP LOCKED)
      FROM i
    )) RETURNING d.name, d.token, d.session, d."user", d.value
  ), t AS MATERIALIZED (
    SELECT i.*, d.token AS old_token, d.session AS old_session, d."user" AS old_user, d.value AS old_value,
      CASE WHEN i.kind IS NOT NULL THEN nextval('@schema@.editlock_seq') END AS n
    FROM i JOIN d ON d.name = i.name
  ), l AS (
    INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
      actor_session, actor_user, actor_value, reason, request)
    SELECT t.n, t.kind, t.name, t.old_token, p_now, t.old_session, t.old_user, t.old_value,
      CASE WHEN NOT a.same THEN t.as_session END, CASE WHEN NOT a.same THEN t.as_user END, CASE WHEN NOT a.same THEN t.as_value END,
      t.reason, t.id
    FROM t, LATERAL (SELECT t.old_session = t.as_session AND t.old_user = t.as_user AND t.old_value = t.as_value AS same) a
    WHERE t.kind IS NOT NULL
  )
  SELECT array_agg(t.at), max(t.n) INTO dropped, last FROM t;
  plain := coalesce(plain, '{}') || coalesce(dropped, '{}');
  tokens := coalesce(tokens, '{}') || array_fill(0::bigint, ARRAY[coalesce(array_length(dropped, 1), 0)]);
  num := greatest(num, last, p_start);
  logged := greatest(logged, last, p_start);
END $fn$;

-- A plain take that comes alone, with as little as it needs; anything else is
-- done by editlock_swap (the same in JSON is p_request). A session that calls it
-- has enable_seqscan = off.
CREATE FUNCTION @schema@.editlock_take(
  p_request text, p_process text, p_peers text[], p_id text, p_name text, p_session text, p_user text, p_value text, p_data text,
  p_idle bigint, p_max bigint, p_kind text, p_reason text, p_as_session text, p_as_user text, p_as_value text
) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE
  now     bigint;
  n       bigint;
  watched boolean;
BEGIN
  IF pg_advisory_xact_lock(@lock@) IS NULL THEN NULL; END IF;
  SELECT c.now, nextval('@schema@.editlock_seq'),
      EXISTS (SELECT FROM @schema@.editlock_watcher w WHERE w.id <> p_process AND w.expires > c.now)
    INTO now, n, watched
    FROM (SELECT @schema@.editlock_now() AS now OFFSET 0) c
    WHERE current_setting('transaction_isolation') = 'read committed' AND current_setting('synchronous_commit') <> 'off'
      AND NOT EXISTS (SELECT FROM @schema@.editlock_record r WHERE r.name = p_name)
      AND NOT EXISTS (SELECT FROM @schema@.editlock_ticket t WHERE t.name = p_name)
      AND NOT EXISTS (SELECT FROM @schema@.editlock_log l WHERE l.request = p_id AND l.request <> '' AND l.at > c.now - @window@);
  IF n IS NULL THEN
    RETURN @schema@.editlock_answer(ARRAY[p_request], p_process, p_peers,
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
  END IF;
  INSERT INTO @schema@.editlock_record (name, token, session, "user", value, data, idle, max_hold, taken, touched, expires, request)
    VALUES (p_name, n, p_session, p_user, p_value, p_data, p_idle, p_max, now, now,
      @schema@.editlock_expiry(now, now, p_idle, p_max, 0), p_id);
  IF p_kind IS NULL THEN
    UPDATE @schema@.editlock_meta m SET seq = n;
    RETURN '[{"req":-1,"state":0,"o_now":' || now || ',"o_taken":' || n - 1 || ',"o_touched":' || n || ',"plain":[0],"tokens":[' || n || ']}]';
  END IF;
  INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
      actor_session, actor_user, actor_value, reason, request)
    SELECT n, p_kind, p_name, n, now, p_session, p_user, p_value,
      CASE WHEN NOT a.same THEN p_as_session END, CASE WHEN NOT a.same THEN p_as_user END, CASE WHEN NOT a.same THEN p_as_value END,
      p_reason, p_id
    FROM (SELECT p_session = p_as_session AND p_user = p_as_user AND p_value = p_as_value AS same) a;
  IF watched THEN
    PERFORM pg_notify('@channel@', 'log');
  END IF;
  RETURN '[{"req":-1,"state":1,"o_now":' || now || ',"o_taken":' || n - 1 || ',"o_touched":' || n || ',"plain":[0],"tokens":[' || n || ']}]';
END $fn$;

-- A plain drop that comes alone, likewise. What is NULL of p_session, p_data and
-- p_token may be anything.
CREATE FUNCTION @schema@.editlock_drop(
  p_request text, p_process text, p_peers text[], p_id text, p_name text, p_session text, p_data text, p_token bigint,
  p_kind text, p_reason text, p_as_session text, p_as_user text, p_as_value text
) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE
  now     bigint;
  n       bigint;
  watched boolean;
  had_token bigint;
  had_session text;
  had_user text;
  had_value text;
BEGIN
  IF pg_advisory_xact_lock(@lock@) IS NULL THEN NULL; END IF;
  SELECT c.now, EXISTS (SELECT FROM @schema@.editlock_watcher w WHERE w.id <> p_process AND w.expires > c.now)
    INTO now, watched
    FROM (SELECT @schema@.editlock_now() AS now OFFSET 0) c
    WHERE current_setting('transaction_isolation') = 'read committed' AND current_setting('synchronous_commit') <> 'off'
      AND NOT EXISTS (SELECT FROM @schema@.editlock_ticket t WHERE t.name = p_name)
      AND NOT EXISTS (SELECT FROM @schema@.editlock_log l WHERE l.request = p_id AND l.request <> '' AND l.at > c.now - @window@);
  IF now IS NOT NULL THEN
    DELETE FROM @schema@.editlock_record d WHERE d.ctid = (
        SELECT r.ctid FROM @schema@.editlock_record r WHERE r.name = p_name AND (r.expires IS NULL OR r.expires > now)
          AND r.token = coalesce(p_token, r.token) AND r.session = coalesce(p_session, r.session) AND r.data = coalesce(p_data, r.data)
        FOR UPDATE SKIP LOCKED)
      RETURNING d.token, d.session, d."user", d.value INTO had_token, had_session, had_user, had_value;
  END IF;
  IF had_token IS NULL THEN
    RETURN @schema@.editlock_answer(ARRAY[p_request], p_process, p_peers,
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
  END IF;
  IF p_kind IS NULL THEN
    RETURN '[{"req":-1,"state":0,"o_now":' || now || ',"plain":[0],"tokens":[0]}]';
  END IF;
  INSERT INTO @schema@.editlock_log (seq, kind, name, token, at, owner_session, owner_user, owner_value,
      actor_session, actor_user, actor_value, reason, request)
    SELECT nextval('@schema@.editlock_seq'), p_kind, p_name, had_token, now, had_session, had_user, had_value,
      CASE WHEN NOT a.same THEN p_as_session END, CASE WHEN NOT a.same THEN p_as_user END, CASE WHEN NOT a.same THEN p_as_value END,
      p_reason, p_id
    FROM (SELECT had_session = p_as_session AND had_user = p_as_user AND had_value = p_as_value AS same) a
    RETURNING seq INTO n;
  IF watched THEN
    PERFORM pg_notify('@channel@', 'log');
  END IF;
  RETURN '[{"req":-1,"state":1,"o_now":' || now || ',"o_taken":' || n - 1 || ',"o_touched":' || n || ',"plain":[0],"tokens":[0]}]';
END $fn$;
