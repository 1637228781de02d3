-- What may leave a box: rules of its account or its own.
CREATE TABLE egress_rules (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order in which they were added
    id       TEXT    NOT NULL UNIQUE,
    account  TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    smartbox TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    effect   TEXT    NOT NULL,
    rule     TEXT CHECK (json_valid(rule)),
    preset   TEXT,
    until    INTEGER,
    once     INTEGER NOT NULL CHECK (once IN (0, 1)),
    added    INTEGER NOT NULL,
    CHECK ((account IS NULL) <> (smartbox IS NULL)),
    CHECK ((rule IS NULL) <> (preset IS NULL))
) STRICT;
CREATE INDEX egress_rules_account ON egress_rules (account, seq) WHERE account IS NOT NULL;
CREATE INDEX egress_rules_smartbox ON egress_rules (smartbox, seq) WHERE smartbox IS NOT NULL;
CREATE INDEX egress_rules_until ON egress_rules (until) WHERE until IS NOT NULL;

-- What left, by box, day, host and port.
CREATE TABLE egress_uses (
    smartbox TEXT    NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    day      INTEGER NOT NULL,
    host     TEXT    NOT NULL,
    port     INTEGER NOT NULL,
    opened   INTEGER NOT NULL,
    up       INTEGER NOT NULL,
    down     INTEGER NOT NULL,
    refused  INTEGER NOT NULL,
    why      TEXT,
    last     INTEGER NOT NULL,
    PRIMARY KEY (smartbox, day, host, port)
) STRICT, WITHOUT ROWID;
CREATE INDEX egress_uses_last ON egress_uses (smartbox, last);
CREATE INDEX egress_uses_day ON egress_uses (day);
