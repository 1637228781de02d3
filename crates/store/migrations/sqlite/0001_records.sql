-- 'SMBX': tells our database from any other SQLite file.
PRAGMA application_id = 1397572184;

-- Which control plane may write: the one that raised the fence last.
CREATE TABLE owner (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    fence INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;
INSERT INTO owner (one, fence, since) VALUES (1, 0, 0);

-- Data keys, wrapped by the master key, which is a file outside this database.
CREATE TABLE data_keys (
    id      INTEGER NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL, -- of the wrapping; rises when the master key is changed
    master  TEXT    NOT NULL, -- the master key's fingerprint
    wrapped BLOB    NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- Keys that sign the heads of the audit, sealed by a data key.
CREATE TABLE signing_keys (
    id       INTEGER NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL,
    data_key INTEGER NOT NULL REFERENCES data_keys (id),
    sealed   BLOB    NOT NULL,
    created  INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id      TEXT    NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_name ON accounts (name);

CREATE TABLE smartboxes (
    id              TEXT    NOT NULL PRIMARY KEY,
    account         TEXT    NOT NULL REFERENCES accounts (id),
    name            TEXT    NOT NULL,
    label           TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    tier            TEXT    NOT NULL,
    engine          TEXT    NOT NULL,
    desired         TEXT    NOT NULL,
    rest            TEXT,
    state           TEXT    NOT NULL,
    failure_reason  TEXT,
    failure_message TEXT,
    failure_hint    TEXT,
    failure_at      INTEGER,
    epoch           INTEGER NOT NULL,
    restart         INTEGER NOT NULL,
    restarted       INTEGER NOT NULL,
    slot            INTEGER NOT NULL,
    alarm           INTEGER,
    suspension      TEXT,
    last_active     INTEGER NOT NULL,
    failures        INTEGER NOT NULL,
    retry_at        INTEGER,
    removing        INTEGER NOT NULL CHECK (removing IN (0, 1)),
    created         INTEGER NOT NULL,
    CHECK (
        (failure_reason IS NULL AND failure_message IS NULL AND failure_hint IS NULL AND failure_at IS NULL)
        OR (failure_reason IS NOT NULL AND failure_message IS NOT NULL AND failure_hint IS NOT NULL AND failure_at IS NOT NULL)
    )
) STRICT;
CREATE UNIQUE INDEX smartboxes_name ON smartboxes (account, name);
CREATE UNIQUE INDEX smartboxes_label ON smartboxes (label);
CREATE UNIQUE INDEX smartboxes_slot ON smartboxes (slot);

CREATE TABLE messages (
    seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order in which they were accepted
    id        TEXT    NOT NULL,
    smartbox  TEXT    NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    session   TEXT    NOT NULL,
    channel   TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    reply     TEXT,
    error     TEXT,
    attempts  INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    finished  INTEGER
) STRICT;
CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE INDEX messages_smartbox ON messages (smartbox, seq);
CREATE INDEX messages_open ON messages (smartbox, seq) WHERE state IN ('queued', 'handed');

-- `scope` is `platform` or the id of an account or box; the two references keep it honest.
CREATE TABLE secrets (
    scope    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    account  TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    smartbox TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL,
    data_key INTEGER NOT NULL REFERENCES data_keys (id),
    sealed   BLOB    NOT NULL,
    updated  INTEGER NOT NULL,
    PRIMARY KEY (scope, name),
    CHECK (scope = coalesce(account, smartbox, 'platform') AND (account IS NULL OR smartbox IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX secrets_smartbox ON secrets (smartbox) WHERE smartbox IS NOT NULL;

-- Releases of secrets to brokers, counted; they outlive the box, as the audit does.
CREATE TABLE releases (
    account  TEXT    NOT NULL REFERENCES accounts (id),
    smartbox TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    scope    TEXT    NOT NULL,
    minute   INTEGER NOT NULL, -- its beginning, as a time
    count    INTEGER NOT NULL,
    PRIMARY KEY (account, minute, smartbox, name, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id       TEXT    NOT NULL PRIMARY KEY,
    hash     TEXT    NOT NULL,
    account  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    smartbox TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    created  INTEGER NOT NULL,
    expires  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
CREATE INDEX sessions_expires ON sessions (expires);
CREATE INDEX sessions_smartbox ON sessions (smartbox) WHERE smartbox IS NOT NULL;

CREATE TABLE tokens (
    id       TEXT    NOT NULL PRIMARY KEY,
    hash     TEXT    NOT NULL,
    account  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    smartbox TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    purpose  TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    expires  INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE INDEX tokens_account ON tokens (account, purpose);
CREATE INDEX tokens_expires ON tokens (expires) WHERE expires IS NOT NULL;
CREATE INDEX tokens_smartbox ON tokens (smartbox) WHERE smartbox IS NOT NULL;

CREATE TABLE audit (
    account  TEXT    NOT NULL REFERENCES accounts (id),
    seq      INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    smartbox TEXT, -- no reference: the record outlives the box
    detail   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    hash     TEXT    NOT NULL,
    PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;

-- One signed head per account, from the account's first moment, so that an emptied chain shows.
CREATE TABLE audit_heads (
    account     TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id),
    seq         INTEGER NOT NULL,
    hash        TEXT    NOT NULL,
    signing_key INTEGER NOT NULL REFERENCES signing_keys (id),
    signature   BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
    seq         INTEGER NOT NULL PRIMARY KEY,
    smartbox    TEXT    NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    provider    TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    input       INTEGER NOT NULL,
    output      INTEGER NOT NULL,
    cache_read  INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    took_ms     INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_smartbox ON usage (smartbox, at);
