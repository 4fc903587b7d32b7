-- Who waits. Part of schema.sql since version 1, as it stands since version 2.

CREATE TABLE editlock_ticket (
  id           TEXT NOT NULL PRIMARY KEY,
  name         TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  peer         TEXT NOT NULL,
  session      TEXT NOT NULL,
  user         TEXT NOT NULL,
  value        TEXT NOT NULL,
  data         TEXT NOT NULL,
  idle         INTEGER NOT NULL,
  max_hold     INTEGER NOT NULL,
  note_kind    TEXT, -- NULL: the grant is not logged
  note_session TEXT NOT NULL,
  note_user    TEXT NOT NULL,
  note_value   TEXT NOT NULL,
  note_reason  TEXT NOT NULL,
  message      TEXT NOT NULL,
  since        INTEGER NOT NULL,
  confirm      INTEGER NOT NULL,
  claim_after  INTEGER NOT NULL,
  claim        INTEGER, -- NULL: none
  asked        INTEGER NOT NULL -- token of the holder that it claims from
) WITHOUT ROWID;
CREATE INDEX editlock_ticket_name ON editlock_ticket (name, seq, peer);
CREATE INDEX editlock_ticket_peer ON editlock_ticket (peer);
CREATE INDEX editlock_ticket_claim ON editlock_ticket (claim) WHERE claim IS NOT NULL;
