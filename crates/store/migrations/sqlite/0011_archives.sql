-- Snapshots of boxes. No row here hangs on the box's own: an archive outlives it beneath its tombstone.
CREATE TABLE archives (
    smartbox  TEXT NOT NULL PRIMARY KEY,
    archive   TEXT NOT NULL CHECK (json_valid(archive)),
    -- The repository's key, sealed in the place (smartbox, 'repository key', 1).
    data_key  INTEGER REFERENCES data_keys (id),
    sealed    BLOB,
    tombstone TEXT CHECK (json_valid(tombstone)),
    account   TEXT, -- whose a removed box was
    removed   INTEGER,
    CHECK ((data_key IS NULL) = (sealed IS NULL)),
    CHECK ((tombstone IS NULL) = (account IS NULL) AND (tombstone IS NULL) = (removed IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX archives_removed ON archives (removed) WHERE removed IS NOT NULL;

CREATE TABLE generations (
    smartbox   TEXT    NOT NULL REFERENCES archives (smartbox) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    record     TEXT    NOT NULL CHECK (json_valid(record)),
    PRIMARY KEY (smartbox, generation)
) STRICT, WITHOUT ROWID;
