-- What keeps a store tidy: beats of those who wait, sweeps, pruning.

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
