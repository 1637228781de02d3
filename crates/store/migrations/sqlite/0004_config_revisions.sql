-- What the engine's configuration of a box was, newest last. The document may hold credentials of
-- the owner's and is sealed as secrets are, in the place (box, 'engine config', seq).
CREATE TABLE config_revisions (
    smartbox TEXT    NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    how      TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    refused  TEXT,
    data_key INTEGER NOT NULL REFERENCES data_keys (id),
    sealed   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX config_revisions_seq ON config_revisions (smartbox, seq);
