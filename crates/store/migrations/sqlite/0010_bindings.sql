-- Where a secret may go by placeholder. Without its secret nothing is bound.
CREATE TABLE secret_bindings (
    scope    TEXT NOT NULL,
    name     TEXT NOT NULL,
    shape    TEXT NOT NULL,
    bindings TEXT NOT NULL CHECK (json_valid(bindings)),
    PRIMARY KEY (scope, name),
    FOREIGN KEY (scope, name) REFERENCES secrets (scope, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What a box holds in place of a secret.
CREATE TABLE placeholders (
    smartbox    TEXT NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    shape       TEXT NOT NULL,
    placeholder TEXT NOT NULL,
    PRIMARY KEY (smartbox, name)
) STRICT, WITHOUT ROWID;

-- Which secrets went to a host, as a list of names.
ALTER TABLE egress_uses ADD COLUMN secrets TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(secrets));
