-- Times are microseconds since 1970-01-01 UTC; durations are nanoseconds.

CREATE TABLE editlock_meta (
  version INTEGER NOT NULL, -- of this schema
  seq     INTEGER NOT NULL, -- the last number given out, unless the log has a later one
  floor   INTEGER NOT NULL, -- log entries up to this one may have been removed
  indexed INTEGER NOT NULL  -- log entries up to this one are in editlock_log_key
);

CREATE TABLE editlock_row (
  k     TEXT NOT NULL PRIMARY KEY,
  v     BLOB NOT NULL,
  d     TEXT NOT NULL,
  t1    TEXT, -- tags; NULL: none
  t2    TEXT,
  lease TEXT, -- key of the row that this one lives with
  rev   INTEGER NOT NULL,
  ver   INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  seen  INTEGER NOT NULL,
  due   INTEGER, -- NULL: never
  ttl   INTEGER NOT NULL,
  mx    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX editlock_row_t1 ON editlock_row (t1) WHERE t1 IS NOT NULL;
CREATE INDEX editlock_row_t2 ON editlock_row (t2) WHERE t2 IS NOT NULL;
CREATE INDEX editlock_row_lease ON editlock_row (lease) WHERE lease IS NOT NULL;
CREATE INDEX editlock_row_due ON editlock_row (due) WHERE due IS NOT NULL;

-- One row for all log entries of a commit: rows cost more than their bytes.
CREATE TABLE editlock_log (
  seq   INTEGER PRIMARY KEY, -- number of the last entry
  entries INTEGER NOT NULL,  -- how many
  total INTEGER NOT NULL,    -- how many were ever logged, up to the last
  at    INTEGER NOT NULL,
  body  BLOB NOT NULL
);

-- Where entries with a tag or an ID are: in the row of the log with this seq.
-- Keys come in any order, so each would dirty a page of its own in its commit.
-- They are added later, sorted; what lacks them is found by reading the log's end.
CREATE TABLE editlock_log_key (
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (key, seq)
) WITHOUT ROWID;

-- Notes for other processes, for a minute.
CREATE TABLE editlock_note (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  sender INTEGER NOT NULL,
  who    TEXT NOT NULL,
  what   TEXT NOT NULL
);

INSERT INTO editlock_meta (version, seq, floor, indexed) VALUES (3, 0, 0, 0);
