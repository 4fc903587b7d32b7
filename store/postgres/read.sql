-- The store's clock: a read's is that of its beginning, before what it sees.
-- Tests replace it by one that they move.
CREATE FUNCTION @schema@.editlock_now(p_read boolean) RETURNS bigint LANGUAGE sql AS
$$ SELECT (date_part('epoch', CASE WHEN p_read THEN transaction_timestamp() ELSE clock_timestamp() END) * 1000000)::bigint $$;

-- Rows whose keys are within bounds, in their order: all (0), the live (1) or
-- those that are due (2).
CREATE FUNCTION @schema@.editlock_span(p_from bytea, p_till bytea, p_state bigint, p_lim bigint, p_now bigint)
RETURNS SETOF @schema@.editlock_row LANGUAGE sql STABLE AS
$$
  SELECT r.* FROM @schema@.editlock_row r
  WHERE r.k >= p_from AND r.k < p_till AND (p_state = 0 OR (r.due > p_now) = (p_state = 1))
    AND (r.lease IS NULL OR (SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease))
  ORDER BY r.k LIMIT p_lim
$$;

-- How many live rows have keys within bounds, where they may be many: of most rows no
-- more than the key is read. OFFSET has those that are due, or have a lease, found by
-- their index: the planner may think that there are many.
CREATE FUNCTION @schema@.editlock_many(p_from bytea, p_till bytea, p_now bigint) RETURNS bigint LANGUAGE sql STABLE AS
$$
  SELECT (SELECT count(*) FROM @schema@.editlock_row r WHERE r.k >= p_from AND r.k < p_till)
    - (SELECT count(*) FROM (SELECT r.k FROM @schema@.editlock_row r WHERE r.due < @never@ AND r.due <= p_now OFFSET 0) r
      WHERE r.k >= p_from AND r.k < p_till)
    - (SELECT count(*) FROM (SELECT r.k, r.due, r.lease FROM @schema@.editlock_row r WHERE r.lease IS NOT NULL AND r.lease >= '' OFFSET 0) r
      WHERE r.k >= p_from AND r.k < p_till AND r.due > p_now
        AND NOT coalesce((SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease), false))
$$;

-- Rows that are due and whose keys are within bounds, in their order, where the live
-- ones may be many.
CREATE FUNCTION @schema@.editlock_late(p_from bytea, p_till bytea, p_lim bigint, p_now bigint)
RETURNS SETOF @schema@.editlock_row LANGUAGE sql STABLE AS
$$
  SELECT r.* FROM (SELECT r.* FROM @schema@.editlock_row r WHERE r.due < @never@ AND r.due <= p_now OFFSET 0) r
  WHERE r.k >= p_from AND r.k < p_till
    AND (r.lease IS NULL OR (SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease))
  ORDER BY r.k LIMIT p_lim
$$;

-- Rows that bear a tag, and whose keys are within bounds, in no order, up to a limit
-- for each column of tags. Tags are compared together with keys, as their index has them:
-- of a tag that equals something the planner may think that it is found soonest by
-- reading all rows in the order of their keys.
CREATE FUNCTION @schema@.editlock_tagged(p_tag bytea, p_from bytea, p_till bytea, p_state bigint, p_lim bigint, p_now bigint)
RETURNS SETOF @schema@.editlock_row LANGUAGE sql STABLE AS
$$
  (SELECT r.* FROM @schema@.editlock_row r WHERE r.t1 IS NOT NULL AND (r.t1, r.k) >= (p_tag, p_from) AND (r.t1, r.k) < (p_tag, p_till) AND (p_state = 0 OR (r.due > p_now) = (p_state = 1))
    AND (r.lease IS NULL OR (SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease)) ORDER BY r.t1, r.k LIMIT p_lim)
  UNION ALL
  (SELECT r.* FROM @schema@.editlock_row r WHERE r.t2 IS NOT NULL AND (r.t2, r.k) >= (p_tag, p_from) AND (r.t2, r.k) < (p_tag, p_till) AND (p_state = 0 OR (r.due > p_now) = (p_state = 1))
    AND (r.lease IS NULL OR (SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease)) ORDER BY r.t2, r.k LIMIT p_lim)
$$;

-- Answers ranges, all at one moment: way 0 by key, 1 by tag, 2 by lease, 3 by
-- when rows are due. total is 1 where all are counted, and 2 more where keys within the
-- bounds may be many.
CREATE FUNCTION @schema@.editlock_find(p_read @schema@.editlock_range[], p_now bigint)
RETURNS @schema@.editlock_found[] LANGUAGE plpgsql STABLE AS $fn$
DECLARE
  want  @schema@.editlock_range;
  got @schema@.editlock_found[];
  more  @schema@.editlock_found[];
BEGIN
  SELECT array_agg(ROW(q.i, NULL, r.k, CASE WHEN q.brief = 0 THEN r.v END, r.d, r.t1, r.t2, r.lease, r.rev, r.ver, r.at, r.seen, r.due, r.ttl, r.mx,
      CASE WHEN q.total & 1 = 1 AND r.place = q.lim THEN
        CASE WHEN q.total > 1 THEN @schema@.editlock_many(q.k, q.till, p_now)
          ELSE (SELECT count(*) FROM @schema@.editlock_span(q.k, q.till, q.state, NULL, p_now)) END
      END
    )::@schema@.editlock_found ORDER BY q.i, r.place) INTO got
  FROM unnest(p_read) q CROSS JOIN LATERAL (
    SELECT s.*, row_number() OVER (ORDER BY s.k) AS place FROM @schema@.editlock_span(q.k, q.till, q.state, q.lim, p_now) s
  ) r WHERE q.way = 0 AND NOT (q.state = 2 AND q.total > 1);
  FOR want IN SELECT r.* FROM unnest(p_read) r WHERE r.way > 0 OR r.state = 2 AND r.total > 1 LOOP
    SELECT array_agg(ROW(want.i, NULL, r.k, CASE WHEN want.brief = 0 THEN r.v END, r.d, r.t1, r.t2, r.lease, r.rev, r.ver, r.at, r.seen, r.due, r.ttl, r.mx,
        CASE WHEN want.total & 1 = 1 AND want.lim > 0 THEN (
          SELECT count(*) FROM (
            SELECT FROM @schema@.editlock_late(want.k, want.till, NULL, p_now) r WHERE want.way = 0
            UNION ALL
            SELECT FROM @schema@.editlock_tagged(want.tag, want.k, want.till, want.state, NULL, p_now) r WHERE want.way = 1
          ) x
        ) END
      )::@schema@.editlock_found ORDER BY CASE WHEN want.way = 3 THEN r.due END, r.k) INTO more
    FROM (
      SELECT r.* FROM @schema@.editlock_late(want.k, want.till, want.lim, p_now) r WHERE want.way = 0
      UNION ALL
      SELECT r.* FROM @schema@.editlock_tagged(want.tag, want.k, want.till, want.state, want.lim, p_now) r WHERE want.way = 1
      UNION ALL
      (SELECT r.* FROM @schema@.editlock_row r WHERE want.way = 2 AND r.lease IS NOT NULL AND (r.lease, r.k) >= (want.tag, want.k) AND (r.lease, r.k) < (want.tag, want.till) AND (r.due > p_now) = (want.state = 1)
        AND (SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease) ORDER BY r.lease, r.k LIMIT want.lim)
      UNION ALL
      (SELECT r.* FROM @schema@.editlock_row r WHERE want.way = 3 AND r.due < @never@
        AND (r.lease IS NULL OR (SELECT l.due > p_now FROM @schema@.editlock_row l WHERE l.k = r.lease)) ORDER BY r.due, r.k LIMIT want.lim)
    ) r;
    got := coalesce(got, '{}') || coalesce(more[1:coalesce(want.lim, array_length(more, 1))], '{}');
  END LOOP;
  IF EXISTS (SELECT FROM unnest(p_read) r WHERE r.beside IS NOT NULL) THEN
    SELECT array_agg(ROW(p.i, p.place, r.k, r.v, r.d, r.t1, r.t2, r.lease, r.rev, r.ver, r.at, r.seen, r.due, r.ttl, r.mx,
        CASE WHEN r.place = q.besides THEN (SELECT count(*) FROM @schema@.editlock_span(p.near, p.beyond, 1, NULL, p_now)) END
      )::@schema@.editlock_found ORDER BY p.place, r.place) INTO more
    FROM (
      SELECT p.i, p.place, q.beside || substr(p.head, length(q.beside) + 1) || '\x00'::bytea AS near,
        q.beside || substr(p.head, length(q.beside) + 1) || '\x01'::bytea AS beyond
      FROM (
        SELECT f.i, f.place, CASE WHEN position('\x00'::bytea IN f.k) > 0 THEN substr(f.k, 1, position('\x00'::bytea IN f.k) - 1) ELSE f.k END AS head
        FROM unnest(got) WITH ORDINALITY f (i, parent, k, v, d, t1, t2, lease, rev, ver, at, seen, due, ttl, mx, total, place)
      ) p
      JOIN unnest(p_read) q ON q.i = p.i WHERE q.beside IS NOT NULL
    ) p JOIN unnest(p_read) q ON q.i = p.i CROSS JOIN LATERAL (
      SELECT s.*, row_number() OVER (ORDER BY s.k) AS place FROM @schema@.editlock_span(p.near, p.beyond, 1, q.besides, p_now) s
    ) r;
    got := got || coalesce(more, '{}');
  END IF;
  RETURN got;
END $fn$;

CREATE FUNCTION @schema@.editlock_read(p_read @schema@.editlock_range[], OUT now bigint, OUT got @schema@.editlock_found[])
LANGUAGE plpgsql STABLE AS $fn$
BEGIN
  now := @schema@.editlock_now(true);
  got := @schema@.editlock_find(p_read, now);
END $fn$;

-- Answers queries of the log, all at one moment.
CREATE FUNCTION @schema@.editlock_page(p_queries @schema@.editlock_query[],
  OUT now bigint, OUT floor bigint, OUT last bigint, OUT entries @schema@.editlock_logged[]
) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
DECLARE
  had bigint;
BEGIN
  now := @schema@.editlock_now(true);
  SELECT x.floor, x.indexed, greatest(m.last, (SELECT max(l.n) FROM @schema@.editlock_log l))
    INTO floor, had, last FROM @schema@.editlock_meta m, @schema@.editlock_index x;
  WITH q AS MATERIALIZED (SELECT * FROM unnest(p_queries)),
  fresh AS MATERIALIZED (
    SELECT l.n, substr(l.tags, s, 16) AS h FROM @schema@.editlock_log l CROSS JOIN LATERAL generate_series(1, length(l.tags), 16) s
    WHERE l.n > had AND EXISTS (SELECT FROM q WHERE q.tag IS NOT NULL)
  ), hits AS (
    SELECT q.i, x.n FROM q CROSS JOIN LATERAL (
      (SELECT l.n FROM @schema@.editlock_log l WHERE q.tag IS NULL AND q.newest = 0 AND l.n > q.above AND l.n < q.below ORDER BY l.n LIMIT q.lim)
      UNION ALL
      (SELECT l.n FROM @schema@.editlock_log l WHERE q.tag IS NULL AND q.newest = 1 AND l.n > q.above AND l.n < q.below ORDER BY l.n DESC LIMIT q.lim)
      UNION ALL
      (SELECT t.n FROM @schema@.editlock_tag t WHERE q.newest = 0 AND t.h = q.tag AND t.n > q.above AND t.n < q.below ORDER BY t.n LIMIT q.lim)
      UNION ALL
      (SELECT t.n FROM @schema@.editlock_tag t WHERE q.newest = 1 AND t.h = q.tag AND t.n > q.above AND t.n < q.below ORDER BY t.n DESC LIMIT q.lim)
    ) x
    UNION
    SELECT q.i, f.n FROM q JOIN fresh f ON f.h = q.tag WHERE f.n > q.above AND f.n < q.below
  ), placed AS (
    SELECT h.i, h.n, q.lim, row_number() OVER (PARTITION BY h.i ORDER BY CASE WHEN q.newest = 1 THEN -h.n ELSE h.n END) AS place
    FROM hits h JOIN q ON q.i = h.i
  )
  SELECT array_agg(ROW(p.i, l.n, l.at, l.v)::@schema@.editlock_logged ORDER BY p.i, p.place) INTO entries
  FROM placed p CROSS JOIN LATERAL ( -- one by one, as OFFSET has it: statistics may speak for a scan of the whole log
    SELECT l.n, l.at, l.v FROM @schema@.editlock_log l WHERE l.n = p.n OFFSET 0
  ) l WHERE p.place <= p.lim;
END $fn$;

-- Indexes tags of the log's end, up to so many entries, and tells how many.
CREATE FUNCTION @schema@.editlock_reindex(p_lim bigint) RETURNS bigint LANGUAGE plpgsql AS $fn$
DECLARE
  had  bigint;
  upto bigint;
  many bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true); -- what is lost is done again
  PERFORM pg_advisory_xact_lock(@lock@ + 1);
  SELECT x.indexed INTO had FROM @schema@.editlock_index x;
  SELECT max(l.n), count(*) INTO upto, many FROM (SELECT l.n FROM @schema@.editlock_log l WHERE l.n > had ORDER BY l.n LIMIT p_lim) l;
  IF many > 0 THEN
    INSERT INTO @schema@.editlock_tag (h, n)
      SELECT DISTINCT substr(l.tags, s, 16), l.n FROM @schema@.editlock_log l CROSS JOIN LATERAL generate_series(1, length(l.tags), 16) s
      WHERE l.n > had AND l.n <= upto ORDER BY 1, 2;
    UPDATE @schema@.editlock_index SET indexed = upto, entries = entries + many;
  END IF;
  RETURN many;
END $fn$;

-- Removes the oldest log entries, up to so many, as far as they are from before
-- p_before or beyond p_keep (NULL: no bound), but not from after p_young. It
-- tells how many. It is called with every sweep, so it reads no more than it
-- removes at a time, and the end of the log that is not indexed.
CREATE FUNCTION @schema@.editlock_trim(p_before bigint, p_keep bigint, p_window bigint, p_lim bigint) RETURNS bigint LANGUAGE plpgsql AS $fn$
DECLARE
  young  bigint := @schema@.editlock_now(false) - p_window;
  oldest @schema@.editlock_log;
  beyond bigint := 0;
  upto   bigint;
  many   bigint;
BEGIN
  SELECT l.* INTO oldest FROM @schema@.editlock_log l ORDER BY l.n LIMIT 1;
  IF oldest.n IS NULL OR oldest.at >= young THEN
    RETURN 0;
  ELSIF coalesce(oldest.at >= p_before, true) -- and there are no more entries than numbers
    AND coalesce((SELECT max(l.n) FROM @schema@.editlock_log l) - oldest.n < p_keep, true) THEN
    RETURN 0;
  END IF;
  PERFORM pg_advisory_xact_lock(@lock@ + 1);
  IF p_keep IS NOT NULL THEN
    SELECT x.entries + (SELECT count(*) FROM @schema@.editlock_log l WHERE l.n > x.indexed) - p_keep INTO beyond FROM @schema@.editlock_index x;
  END IF;
  SELECT max(o.n), count(*) INTO upto, many FROM (
    SELECT l.n, bool_and(l.at < young AND (coalesce(l.at < p_before, false) OR l.place <= beyond)) OVER (ORDER BY l.n) AS goes
    FROM (SELECT i.n, i.at, row_number() OVER (ORDER BY i.n) AS place FROM @schema@.editlock_log i ORDER BY i.n LIMIT p_lim) l
  ) o WHERE o.goes;
  IF many > 0 THEN
    DELETE FROM @schema@.editlock_tag t USING (
      SELECT substr(l.tags, s, 16) AS h, l.n FROM @schema@.editlock_log l CROSS JOIN LATERAL generate_series(1, length(l.tags), 16) s WHERE l.n <= upto
    ) g WHERE t.h = g.h AND t.n = g.n;
    DELETE FROM @schema@.editlock_log l WHERE l.n <= upto;
    UPDATE @schema@.editlock_index SET floor = upto, indexed = greatest(indexed, upto), entries = CASE WHEN upto < indexed THEN entries - many ELSE 0 END;
    UPDATE @schema@.editlock_meta SET last = greatest(last, upto) WHERE last < upto;
  END IF;
  RETURN many;
END $fn$;

-- Asks for notice of the log's growth for so long.
CREATE FUNCTION @schema@.editlock_watch(p_process bytea, p_lease bigint) RETURNS bigint LANGUAGE plpgsql AS $fn$
DECLARE
  now bigint := @schema@.editlock_now(false);
BEGIN
  DELETE FROM @schema@.editlock_watcher w WHERE w.due <= now;
  INSERT INTO @schema@.editlock_watcher AS w (id, due) VALUES (p_process, now + p_lease) ON CONFLICT (id) DO UPDATE SET due = excluded.due;
  RETURN now;
END $fn$;

-- The highest number, how many log entries are not indexed (if the number is the
-- largest there is), and how many are behind a number, with the notes sent with them.
CREATE FUNCTION @schema@.editlock_tail(p_after bigint, p_lim bigint, OUT last bigint, OUT loose bigint, OUT logged bigint, OUT notes bytea[])
LANGUAGE sql STABLE AS $fn$
  WITH l AS MATERIALIZED (SELECT l.n, l.notes FROM @schema@.editlock_log l WHERE l.n > p_after ORDER BY l.n LIMIT p_lim)
  SELECT CASE WHEN count(*) = p_lim THEN max(l.n)
      ELSE greatest(max(l.n), (SELECT m.last FROM @schema@.editlock_meta m), (SELECT max(x.n) FROM @schema@.editlock_log x)) END,
    CASE WHEN p_after = @never@ THEN (SELECT count(*) FROM @schema@.editlock_log x WHERE x.n > (SELECT i.indexed FROM @schema@.editlock_index i)) END,
    count(*), array_agg(l.notes ORDER BY l.n) FILTER (WHERE l.notes IS NOT NULL)
  FROM l
$fn$;
