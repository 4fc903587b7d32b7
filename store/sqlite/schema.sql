-- Times are microseconds since 1970-01-01 UTC; durations are nanoseconds.

CREATE TABLE editlock_meta (
  version INTEGER NOT NULL, -- of this schema
  seq     INTEGER NOT NULL, -- the last number given out, unless the log has a later one
  floor   INTEGER NOT NULL, -- log entries up to this one may be pruned
  indexed INTEGER NOT NULL  -- log entries up to this one are in editlock_log_key
);

CREATE TABLE editlock_record (
  name     TEXT NOT NULL PRIMARY KEY,
  token    INTEGER NOT NULL,
  session  TEXT NOT NULL,
  user     TEXT NOT NULL,
  value    TEXT NOT NULL,
  data     TEXT NOT NULL,
  idle     INTEGER NOT NULL,
  max_hold INTEGER NOT NULL,
  taken    INTEGER NOT NULL,
  touched  INTEGER NOT NULL,
  expires  INTEGER, -- NULL: never
  request  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX editlock_record_session ON editlock_record (session);
CREATE INDEX editlock_record_user ON editlock_record (user) WHERE user <> '';
CREATE INDEX editlock_record_expires ON editlock_record (expires) WHERE expires IS NOT NULL;

CREATE TABLE editlock_peer (
  id      TEXT NOT NULL PRIMARY KEY,
  expires INTEGER NOT NULL
) WITHOUT ROWID;

-- One row for all log entries of a commit, as a JSON array: entries are many
-- and small, and rows cost more than their bytes.
CREATE TABLE editlock_log (
  seq     INTEGER PRIMARY KEY, -- of the last entry
  entries INTEGER NOT NULL,    -- how many
  first   INTEGER NOT NULL,    -- time of the earliest
  last    INTEGER NOT NULL,    -- time of the latest
  body    TEXT NOT NULL
);

-- Where to find the entries of a name ('n' and the name) or of a user ('u' and
-- the user). Keys come in any order, so if they were kept with each commit it
-- would dirty a page or two for each entry; they are added for thousands of
-- entries at a time, sorted. What lacks them is found by reading the log's end.
CREATE TABLE editlock_log_key (
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (key, seq)
) WITHOUT ROWID;

-- Requests that took effect, and where the log tells of it.
CREATE TABLE editlock_request (
  id  TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL,
  at  INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO editlock_meta (version, seq, floor, indexed) VALUES (2, 0, 0, 0);
