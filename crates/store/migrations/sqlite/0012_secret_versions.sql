-- Values that a secret had before, sealed as they were: in the place (scope, name, version).
CREATE TABLE secret_versions (
    scope    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    data_key INTEGER NOT NULL REFERENCES data_keys (id),
    sealed   BLOB    NOT NULL,
    updated  INTEGER NOT NULL, -- when that value was set
    PRIMARY KEY (scope, name, version),
    FOREIGN KEY (scope, name) REFERENCES secrets (scope, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
