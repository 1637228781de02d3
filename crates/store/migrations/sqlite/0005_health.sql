-- How a box has been doing: one JSON document, since it is read and written whole with its row.
ALTER TABLE smartboxes ADD COLUMN vitals TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(vitals));

CREATE TABLE issues (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order in which they were opened
    id       TEXT    NOT NULL,
    account  TEXT REFERENCES accounts (id) ON DELETE CASCADE, -- none: of the machine
    smartbox TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    kind     TEXT    NOT NULL,
    severity TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    hint     TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    resolved INTEGER
) STRICT;
CREATE UNIQUE INDEX issues_id ON issues (id);
-- Of one key at most one is open.
CREATE UNIQUE INDEX issues_open ON issues (key) WHERE resolved IS NULL;
CREATE INDEX issues_account ON issues (account, seq);
CREATE INDEX issues_smartbox ON issues (smartbox, seq) WHERE smartbox IS NOT NULL;
CREATE INDEX issues_resolved ON issues (resolved) WHERE resolved IS NOT NULL;

-- What the platform did with a box; bounded per box by whoever adds.
CREATE TABLE journal (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    smartbox TEXT    NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    event    TEXT    NOT NULL,
    detail   TEXT    NOT NULL
) STRICT;
CREATE INDEX journal_smartbox ON journal (smartbox, seq);

-- The sum over all boxes since a time, from the index alone.
CREATE INDEX usage_at ON usage (at, smartbox, input, cache_read, cache_write, output);
