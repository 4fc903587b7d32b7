-- Version 4. @schema@ and the like are replaced when this is run. Times are
-- microseconds since 1970-01-01 UTC, durations are nanoseconds.

CREATE TABLE @schema@.editlock_meta (
  version integer NOT NULL, -- of this schema
  last    bigint NOT NULL,  -- the highest number given out, unless the log has a higher one
  channel text NOT NULL     -- of notifications, which anybody in the database may send, and hear, who knows it
) WITH (fillfactor = 20);   -- room to update the row in place
INSERT INTO @schema@.editlock_meta VALUES (@version@, 0, 'editlock_' || replace(gen_random_uuid()::text, '-', ''));

-- The counter. Numbers are drawn under the store's lock, and become visible in
-- their order. Those that a failed step drew are lost.
CREATE SEQUENCE @schema@.editlock_seq;

CREATE TABLE @schema@.editlock_row (
  k     bytea NOT NULL PRIMARY KEY,
  v     bytea NOT NULL,
  d     bytea NOT NULL,
  t1    bytea, -- tags; NULL: none
  t2    bytea,
  lease bytea, -- key of the row that this one lives with
  rev   bigint NOT NULL,
  ver   bigint NOT NULL,
  at    bigint NOT NULL,
  seen  bigint NOT NULL,
  due   bigint NOT NULL, -- the largest number: never
  ttl   bigint NOT NULL,
  mx    bigint NOT NULL
);
CREATE INDEX editlock_row_t1 ON @schema@.editlock_row (t1, k) WHERE t1 IS NOT NULL;
CREATE INDEX editlock_row_t2 ON @schema@.editlock_row (t2, k) WHERE t2 IS NOT NULL;
CREATE INDEX editlock_row_lease ON @schema@.editlock_row (lease, k) WHERE lease IS NOT NULL;
CREATE INDEX editlock_row_due ON @schema@.editlock_row (due, k) WHERE due < @never@;

CREATE TABLE @schema@.editlock_log (
  n     bigint NOT NULL PRIMARY KEY,
  at    bigint NOT NULL,
  id    bytea, -- hash of the ID; NULL: none
  v     bytea NOT NULL,
  tags  bytea NOT NULL, -- hashes, one after the other
  notes bytea -- that were sent with it; NULL: none
);
CREATE INDEX editlock_log_id ON @schema@.editlock_log (id) WHERE id IS NOT NULL;

-- Where log entries with a tag are. They are added later, many at a time;
-- what lacks them is found by reading the log's end.
CREATE TABLE @schema@.editlock_tag (
  h bytea NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (h, n)
);
CREATE TABLE @schema@.editlock_index (
  floor   bigint NOT NULL, -- log entries up to this number may have been removed
  indexed bigint NOT NULL, -- and those up to this one are in editlock_tag,
  entries bigint NOT NULL  -- of which there are so many
) WITH (fillfactor = 20);
INSERT INTO @schema@.editlock_index VALUES (0, 0, 0);

-- Processes that follow the log, and until when they are notified of its
-- growth. What a crash takes from it costs somebody a second.
CREATE UNLOGGED TABLE @schema@.editlock_watcher (
  id  bytea NOT NULL PRIMARY KEY,
  due bigint NOT NULL
);

-- What transactions are made of, and what is answered. See commit.go.
CREATE TYPE @schema@.editlock_cond AS (txn bigint, id bytea, k bytea, till bytea, state bigint, lim bigint, bad bigint,
  rev bigint, ver bigint, tag bytea, lease bytea, d bytea);
CREATE TYPE @schema@.editlock_write AS (txn bigint, kind bigint, k bytea, num bigint, v bytea, d bytea, t1 bytea, t2 bytea,
  lease bytea, lent bigint, life bigint, ttl bigint, mx bigint);
CREATE TYPE @schema@.editlock_entry AS (txn bigint, num bigint, id bytea, v bytea, tags bytea, notes bytea);
CREATE TYPE @schema@.editlock_note AS (txn bigint, who bytea, what bytea, logged bigint, first bigint, n bigint);
CREATE TYPE @schema@.editlock_range AS (i bigint, txn bigint, own bigint, probe bigint, way bigint, state bigint, k bytea, till bytea,
  tag bytea, lim bigint, total bigint, brief bigint, beside bytea, besides bigint);
CREATE TYPE @schema@.editlock_found AS (i bigint, parent bigint, k bytea, v bytea, d bytea, t1 bytea, t2 bytea, lease bytea,
  rev bigint, ver bigint, at bigint, seen bigint, due bigint, ttl bigint, mx bigint, total bigint);
CREATE TYPE @schema@.editlock_query AS (i bigint, tag bytea, above bigint, below bigint, newest bigint, lim bigint);
CREATE TYPE @schema@.editlock_logged AS (i bigint, n bigint, at bigint, v bytea);
