-- Devices, and what they ask for.
CREATE TABLE devices (
    id         TEXT    NOT NULL PRIMARY KEY,
    public_key TEXT,
    kind       TEXT    NOT NULL,
    account    TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    smartbox   TEXT REFERENCES smartboxes (id) ON DELETE CASCADE,
    person     TEXT REFERENCES people (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    platform   TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'revoked')),
    granted    TEXT CHECK (granted IN ('read', 'chat', 'manage', 'own')),
    created    INTEGER NOT NULL,
    decided    INTEGER,
    decided_by TEXT,
    seen       INTEGER,
    -- The request, all of it or nothing.
    user_code   TEXT,
    device_code TEXT,
    nonce       TEXT,
    requested   TEXT CHECK (requested IN ('read', 'chat', 'manage', 'own')),
    asked       INTEGER,
    expires     INTEGER,
    interval_ms INTEGER,
    polled      INTEGER,
    verdict     TEXT CHECK (verdict IN ('waiting', 'approved', 'rejected'))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX devices_user_code ON devices (user_code) WHERE user_code IS NOT NULL;
CREATE UNIQUE INDEX devices_device_code ON devices (device_code) WHERE device_code IS NOT NULL;
CREATE INDEX devices_account ON devices (account);
CREATE INDEX devices_smartbox ON devices (smartbox) WHERE smartbox IS NOT NULL;
CREATE INDEX devices_person ON devices (person) WHERE person IS NOT NULL;
CREATE INDEX devices_waiting ON devices (expires) WHERE verdict = 'waiting';

ALTER TABLE sessions ADD COLUMN by_device TEXT REFERENCES devices (id) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN by_device TEXT REFERENCES devices (id) ON DELETE CASCADE;
CREATE INDEX sessions_by_device ON sessions (by_device) WHERE by_device IS NOT NULL;
CREATE INDEX tokens_by_device ON tokens (by_device) WHERE by_device IS NOT NULL;
