-- Version 1. @schema@ and @lock@ are replaced when this is run.
--
-- Times are microseconds since 1970-01-01 UTC, durations are nanoseconds.
-- Texts are compared byte for byte, whatever the database's collation.

CREATE TABLE @schema@.editlock_meta (
  version integer NOT NULL, -- of this schema
  seq     bigint NOT NULL,  -- the last number given out that is visible, unless the log has a later one
  floor   bigint NOT NULL   -- log entries up to this one may be pruned
) WITH (fillfactor = 20);   -- room to update the row in place

-- The store's counter. Numbers are taken under the store's lock, and so become
-- visible in their order. Those that a failed step took are lost.
CREATE SEQUENCE @schema@.editlock_seq MINVALUE 0 START WITH 0;
SELECT setval('@schema@.editlock_seq', 0);

CREATE TABLE @schema@.editlock_record (
  name     text COLLATE "C" NOT NULL PRIMARY KEY,
  token    bigint NOT NULL,
  session  text COLLATE "C" NOT NULL,
  "user"   text COLLATE "C" NOT NULL,
  value    text COLLATE "C" NOT NULL,
  data     text COLLATE "C" NOT NULL,
  idle     bigint NOT NULL,
  max_hold bigint NOT NULL,
  taken    bigint NOT NULL,
  touched  bigint NOT NULL,
  expires  bigint, -- NULL: never
  request  text COLLATE "C" NOT NULL
);
CREATE INDEX editlock_record_session ON @schema@.editlock_record (session, name) WHERE session <> '';
CREATE INDEX editlock_record_user ON @schema@.editlock_record ("user", name) WHERE "user" <> '';
CREATE INDEX editlock_record_expires ON @schema@.editlock_record (expires) WHERE expires IS NOT NULL;

CREATE TABLE @schema@.editlock_ticket (
  name  text COLLATE "C" NOT NULL,
  id    text COLLATE "C" NOT NULL,
  seq   bigint NOT NULL,
  peer  text COLLATE "C" NOT NULL,
  since bigint NOT NULL,
  claim bigint,          -- NULL: none
  asked bigint NOT NULL, -- token of the holder that it claims from
  body  jsonb NOT NULL,  -- the rest, as the engine writes it
  PRIMARY KEY (name, id)
);
CREATE INDEX editlock_ticket_queue ON @schema@.editlock_ticket (name, seq);
CREATE INDEX editlock_ticket_peer ON @schema@.editlock_ticket (peer);
CREATE INDEX editlock_ticket_claim ON @schema@.editlock_ticket (claim) WHERE claim IS NOT NULL;

-- Processes that wait, and until when they live.
CREATE TABLE @schema@.editlock_peer (
  id      text COLLATE "C" NOT NULL PRIMARY KEY,
  expires bigint NOT NULL
);

-- Processes that follow the log, and until when they want to be told of its
-- growth. What a crash takes from it costs somebody a second.
CREATE UNLOGGED TABLE @schema@.editlock_watcher (
  id      text COLLATE "C" NOT NULL PRIMARY KEY,
  expires bigint NOT NULL
);

-- Parties that would only repeat are NULL: an actor who is the owner, and
-- another party where there is none.
CREATE TABLE @schema@.editlock_log (
  seq           bigint NOT NULL PRIMARY KEY,
  kind          text COLLATE "C" NOT NULL,
  name          text COLLATE "C" NOT NULL,
  token         bigint NOT NULL,
  at            bigint NOT NULL,
  owner_session text COLLATE "C" NOT NULL,
  owner_user    text COLLATE "C" NOT NULL,
  owner_value   text COLLATE "C" NOT NULL,
  actor_session text COLLATE "C",
  actor_user    text COLLATE "C",
  actor_value   text COLLATE "C",
  other_session text COLLATE "C",
  other_user    text COLLATE "C",
  other_value   text COLLATE "C",
  reason        text COLLATE "C" NOT NULL,
  request       text COLLATE "C" NOT NULL
);
CREATE INDEX editlock_log_name ON @schema@.editlock_log (name, seq);
CREATE INDEX editlock_log_owner ON @schema@.editlock_log (owner_user, seq) WHERE owner_user <> '';
CREATE INDEX editlock_log_actor ON @schema@.editlock_log (actor_user, seq) WHERE actor_user <> '';
CREATE INDEX editlock_log_other ON @schema@.editlock_log (other_user, seq) WHERE other_user <> '';
CREATE INDEX editlock_log_request ON @schema@.editlock_log (request) WHERE request <> '';

INSERT INTO @schema@.editlock_meta (version, seq, floor) VALUES (1, 0, 0);
