-- Performs transactions, each whole or not at all, in one order for all
-- processes: that of a lock, which is held until the commit is visible. All
-- conditions are checked, then what passed is written, then ranges are read.
-- Conditions that are not met are answered by their txn, those on an ID apart.
-- A txn at p_txns or above tells of no transaction, but of a range that has
-- rows, or of a lease that is not live.
CREATE FUNCTION @schema@.editlock_commit(
  p_if @schema@.editlock_cond[], p_then @schema@.editlock_write[], p_log @schema@.editlock_entry[],
  p_read @schema@.editlock_range[], p_notes @schema@.editlock_note[], p_process bytea, p_txns bigint, p_numbers bigint,
  p_ends bigint, p_several boolean, p_puts boolean, p_renews boolean, p_logs boolean, p_unlogged boolean, p_leaves boolean,
  OUT now bigint, OUT first bigint, OUT unmet bigint[], OUT known bigint[], OUT guarded bigint[], OUT got @schema@.editlock_found[]
) LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  skip    bigint[] := '{}';
  watched boolean;
  leased  boolean;
  many    bigint;
  note    @schema@.editlock_note;
  payload text;
  channel text;
BEGIN
  IF pg_advisory_xact_lock(@lock@) IS NULL THEN NULL; END IF; -- quicker than PERFORM
  IF current_setting('synchronous_commit') = 'off' THEN -- it may be set at any time
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  now := @schema@.editlock_now(false);
  SELECT array_agg(c.txn) FILTER (WHERE c.id IS NULL), array_agg(c.txn) FILTER (WHERE c.id IS NOT NULL),
      (SELECT true FROM @schema@.editlock_watcher w WHERE w.id <> p_process AND w.due > now LIMIT 1),
      (SELECT true FROM @schema@.editlock_row r WHERE r.lease IS NOT NULL LIMIT 1)
    INTO unmet, known, watched, leased
    FROM unnest(p_if) c
    WHERE CASE
      WHEN c.id IS NOT NULL THEN EXISTS (SELECT FROM @schema@.editlock_log l WHERE l.id = c.id AND l.at > now - @window@)
      WHEN c.k IS NULL THEN now < c.rev
      ELSE (SELECT count(*) FROM (
          SELECT FROM @schema@.editlock_row r
          WHERE r.k >= c.k AND r.k < c.till AND (c.state = 0 OR (r.due > now) = (c.state = 1))
            AND (c.rev = 0 OR r.rev = c.rev) AND (c.ver = 0 OR r.ver = c.ver) AND (c.tag IS NULL OR r.t1 = c.tag OR r.t2 = c.tag)
            AND (c.lease IS NULL OR r.lease = c.lease) AND (c.d IS NULL OR r.d = c.d)
            AND (r.lease IS NULL OR (SELECT l.due > now FROM @schema@.editlock_row l WHERE l.k = r.lease))
          LIMIT c.lim
        ) x) = c.bad
    END;
  IF unmet IS NOT NULL OR known IS NOT NULL THEN
    skip := ARRAY(SELECT DISTINCT u FROM unnest(unmet || known) u WHERE u < p_txns);
  END IF;
  IF p_ends > 0 THEN
    IF p_several THEN
      SELECT array_agg(DISTINCT w.txn) INTO guarded FROM unnest(p_then) w
        WHERE w.kind & 1 > 0 AND w.txn <> ALL (skip) AND EXISTS (SELECT FROM @schema@.editlock_row r WHERE r.k = w.k)
          AND (SELECT r.k FROM @schema@.editlock_row r WHERE r.k = w.k FOR UPDATE SKIP LOCKED) IS NULL;
      skip := skip || guarded;
    END IF;
    DELETE FROM @schema@.editlock_row d WHERE d.ctid = ANY (ARRAY(
      SELECT (SELECT r.ctid FROM @schema@.editlock_row r WHERE r.k = w.k FOR UPDATE SKIP LOCKED)
      FROM unnest(p_then) w WHERE w.kind & 1 > 0 AND w.txn <> ALL (skip)));
    GET DIAGNOSTICS many = ROW_COUNT;
    IF many < p_ends THEN -- they are not there, or guarded
      guarded := guarded || ARRAY(SELECT w.txn FROM unnest(p_then) w
        WHERE w.kind & 1 > 0 AND w.txn <> ALL (skip) AND EXISTS (SELECT FROM @schema@.editlock_row r WHERE r.k = w.k));
      skip := skip || guarded;
    END IF;
    IF leased THEN
      DELETE FROM @schema@.editlock_row d WHERE d.ctid = ANY (ARRAY(SELECT l.ctid FROM unnest(p_then) w CROSS JOIN LATERAL (
        -- One by one, as OFFSET has it: else all rows with a lease may be read.
        SELECT r.ctid FROM @schema@.editlock_row r WHERE r.lease = w.k OFFSET 0) l WHERE w.kind & 1 > 0 AND w.txn <> ALL (skip)));
    END IF;
  END IF;
  IF p_numbers > 0 AND coalesce(array_length(skip, 1), 0) < p_txns THEN
    IF p_numbers = 1 THEN
      first := nextval('@schema@.editlock_seq');
    ELSE
      SELECT min(n) INTO first FROM (SELECT nextval('@schema@.editlock_seq') AS n FROM generate_series(1, p_numbers)) x;
    END IF;
    IF p_unlogged THEN
      UPDATE @schema@.editlock_meta SET last = first + p_numbers - 1;
    END IF;
  END IF;
  IF p_puts THEN
    INSERT INTO @schema@.editlock_row (k, v, d, t1, t2, lease, rev, ver, at, seen, due, ttl, mx)
      SELECT CASE WHEN w.kind & 8 > 0 THEN w.k || convert_to(lpad(to_hex(first + w.num - 1), 16, '0'), 'UTF8') ELSE w.k END,
        w.v, w.d, w.t1, w.t2, w.lease, CASE WHEN w.num > 0 THEN first + w.num - 1 ELSE 0 END, 1, now, now,
        coalesce(now + w.life, @never@), w.ttl, w.mx
      FROM unnest(p_then) w WHERE w.kind & 2 > 0 AND w.txn <> ALL (skip) AND (w.lent < 0 OR w.lent <> ALL (coalesce(unmet, '{}')));
  END IF;
  IF p_renews THEN
    UPDATE @schema@.editlock_row r SET seen = now, v = coalesce(w.v, r.v), ver = r.ver + CASE WHEN w.v IS NULL THEN 0 ELSE 1 END,
        d = coalesce(w.d, r.d), t1 = CASE WHEN w.kind & 16 > 0 THEN w.t1 ELSE r.t1 END, t2 = CASE WHEN w.kind & 16 > 0 THEN w.t2 ELSE r.t2 END,
        lease = coalesce(w.lease, r.lease), ttl = coalesce(w.ttl, r.ttl), mx = coalesce(w.mx, r.mx),
        due = least(CASE WHEN coalesce(w.ttl, r.ttl) > 0 THEN now + coalesce(w.ttl, r.ttl) / 1000 END,
          CASE WHEN coalesce(w.mx, r.mx) > 0 THEN r.at + coalesce(w.mx, r.mx) / 1000 END, now + w.life, @never@)
      FROM unnest(p_then) w WHERE w.kind & 4 > 0 AND w.txn <> ALL (skip) AND r.k = w.k;
    IF unmet IS NOT NULL THEN
      DELETE FROM @schema@.editlock_row d USING unnest(p_then) w
        WHERE w.kind & 4 > 0 AND w.txn <> ALL (skip) AND d.k = w.k AND w.lent = ANY (unmet);
    END IF;
  END IF;
  IF p_logs THEN
    INSERT INTO @schema@.editlock_log (n, at, id, v, tags, notes)
      SELECT first + e.num - 1, now, e.id, e.v, e.tags, e.notes FROM unnest(p_log) e WHERE e.txn <> ALL (skip);
    IF watched AND first IS NOT NULL THEN
      PERFORM pg_notify(m.channel, '') FROM @schema@.editlock_meta m;
    END IF;
  END IF;
  IF NOT p_leaves OR unmet IS NOT NULL OR known IS NOT NULL OR guarded IS NOT NULL THEN
    got := @schema@.editlock_find(ARRAY(SELECT q FROM unnest(p_read) q
      WHERE (q.own = 0 OR q.txn = ANY (skip)) AND (q.probe < 0 OR q.probe = ANY (unmet))), now);
  END IF;
  IF p_notes IS NOT NULL THEN
    SELECT m.channel INTO channel FROM @schema@.editlock_meta m;
    FOR note IN SELECT m.* FROM unnest(p_notes) m WHERE m.txn <> ALL (skip) LOOP
      payload := encode(record_send(ROW(p_process, now, note.who, note.what, note.logged, note.first, note.n,
        ARRAY(SELECT f FROM unnest(got) f WHERE f.i >= note.first AND f.i < note.first + note.n))), 'base64');
      IF length(payload) > @payload@ THEN
        payload := encode(record_send(ROW(p_process, now, note.who, note.what, note.logged, note.first, note.n, NULL::@schema@.editlock_found[])), 'base64');
      END IF;
      PERFORM pg_notify(channel, payload);
    END LOOP;
  END IF;
END $fn$;
