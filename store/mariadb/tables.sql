CREATE TABLE IF NOT EXISTS editlock_meta (
  id      TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  version INT UNSIGNED NOT NULL,
  last    BIGINT UNSIGNED NOT NULL COMMENT 'the highest number given out',
  floor   BIGINT UNSIGNED NOT NULL COMMENT 'log entries up to this number may have been removed',
  entries BIGINT NOT NULL COMMENT 'in the log',
  at      BIGINT NOT NULL COMMENT 'time of the last commit'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS editlock_row (
  k     VARBINARY(3040) NOT NULL PRIMARY KEY,
  v     MEDIUMBLOB NOT NULL,
  d     MEDIUMBLOB NOT NULL,
  t1    BLOB NULL COMMENT 'a tag, and its hash',
  t2    BLOB NULL,
  h1    BINARY(32) NULL,
  h2    BINARY(32) NULL,
  lease VARBINARY(1024) NULL COMMENT 'key of the row that this one lives with',
  rev   BIGINT UNSIGNED NOT NULL,
  ver   BIGINT UNSIGNED NOT NULL,
  at    BIGINT NOT NULL COMMENT 'times are microseconds since 1970',
  seen  BIGINT NOT NULL,
  due   BIGINT NOT NULL,
  ttl   BIGINT NOT NULL,
  mx    BIGINT NOT NULL,
  KEY h1 (h1, k), KEY h2 (h2, k), KEY lease (lease), KEY due (due)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS editlock_guard (
  rev BIGINT UNSIGNED NOT NULL,
  k   VARBINARY(3040) NOT NULL,
  PRIMARY KEY (rev, k)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='rows that transactions of applications may lock: renewals write none of them';

CREATE TABLE IF NOT EXISTS editlock_log (
  n  BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  id BINARY(32) NULL COMMENT 'hash of the ID of a transaction that is done once',
  v  MEDIUMBLOB NOT NULL,
  KEY (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS editlock_tag (
  h BINARY(32) NOT NULL COMMENT 'hash of a tag of a log entry',
  n BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (h, n), KEY (n)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS editlock_note (
  id     BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at     BIGINT NOT NULL,
  sender BINARY(16) NOT NULL,
  who    BLOB NOT NULL,
  what   BLOB NOT NULL,
  KEY (at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

INSERT IGNORE INTO editlock_meta (id, version, last, floor, entries, at) VALUES (1, @version@, 0, 0, 0, 0);
