-- A job goes with its account and, if it is about a box, with its box.
CREATE TABLE jobs (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order in which they were added
    id              TEXT    NOT NULL,
    account         TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    smartbox        TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    kind            TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    key             TEXT,
    input           TEXT    NOT NULL, -- JSON, as are checkpoint and result
    state           TEXT    NOT NULL,
    asked           TEXT,
    done            INTEGER NOT NULL,
    total           INTEGER,
    unit            TEXT    NOT NULL,
    note            TEXT    NOT NULL,
    checkpoint      TEXT    NOT NULL,
    result          TEXT,
    failure_code    TEXT,
    failure_detail  TEXT,
    failure_hint    TEXT,
    attempts        INTEGER NOT NULL, -- also the fencing token of whoever runs it
    interruptions   INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    started         INTEGER,
    finished        INTEGER,
    expires         INTEGER,
    -- How much is kept of its events.
    last_event      INTEGER NOT NULL DEFAULT 0,
    events          INTEGER NOT NULL DEFAULT 0,
    event_bytes     INTEGER NOT NULL DEFAULT 0,
    truncated       INTEGER NOT NULL DEFAULT 0 CHECK (truncated IN (0, 1)),
    CHECK ((failure_code IS NULL) = (failure_detail IS NULL) AND (failure_code IS NULL) = (failure_hint IS NULL))
) STRICT;
CREATE UNIQUE INDEX jobs_id ON jobs (id);
CREATE UNIQUE INDEX jobs_key ON jobs (account, key) WHERE key IS NOT NULL;
CREATE INDEX jobs_account ON jobs (account, created, id);
CREATE INDEX jobs_smartbox ON jobs (smartbox, created, id) WHERE smartbox IS NOT NULL;
CREATE INDEX jobs_open ON jobs (seq) WHERE state IN ('queued', 'running', 'paused');
CREATE INDEX jobs_expires ON jobs (expires) WHERE expires IS NOT NULL;

CREATE TABLE job_events (
    job  TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq  INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    what TEXT    NOT NULL, -- JSON
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_items (
    job        TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    n          INTEGER NOT NULL,
    subject    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    checkpoint TEXT    NOT NULL, -- JSON
    at         INTEGER NOT NULL,
    PRIMARY KEY (job, n)
) STRICT, WITHOUT ROWID;
