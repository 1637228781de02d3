-- Replies kept under the askers' own keys, for a day.
CREATE TABLE replies (
    account  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    route    TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    digest   TEXT    NOT NULL, -- of what was asked
    run      TEXT    NOT NULL, -- the process that took the key
    at       INTEGER NOT NULL,
    done     INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    data_key INTEGER REFERENCES data_keys (id),
    sealed   BLOB, -- absent if nothing is done yet, or if the reply was too long
    PRIMARY KEY (account, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX replies_at ON replies (at);
CREATE INDEX replies_of ON replies (account, at);
