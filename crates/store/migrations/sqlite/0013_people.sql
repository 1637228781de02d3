-- People, who says who they are, and what they may.
CREATE TABLE people (
    id       TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    email    TEXT,
    operator TEXT CHECK (operator IN ('read', 'chat', 'manage', 'own')),
    disabled INTEGER NOT NULL,
    created  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    person  TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_person ON identities (person);

CREATE TABLE members (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    person  TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    role    TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'owner')),
    PRIMARY KEY (account, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_person ON members (person);

CREATE TABLE shares (
    smartbox TEXT NOT NULL REFERENCES smartboxes (id) ON DELETE CASCADE,
    person   TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    grade    TEXT NOT NULL CHECK (grade IN ('read', 'chat', 'manage')),
    PRIMARY KEY (smartbox, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_person ON shares (person);

ALTER TABLE sessions ADD COLUMN person TEXT REFERENCES people (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET seen = created;
ALTER TABLE sessions ADD COLUMN grade TEXT NOT NULL DEFAULT 'own'
    CHECK (grade IN ('read', 'chat', 'manage', 'own'));
-- What it hangs on, and ends with.
ALTER TABLE sessions ADD COLUMN by_session TEXT REFERENCES sessions (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN by_token TEXT REFERENCES tokens (id) ON DELETE CASCADE;
CREATE INDEX sessions_by_session ON sessions (by_session) WHERE by_session IS NOT NULL;
CREATE INDEX sessions_by_token ON sessions (by_token) WHERE by_token IS NOT NULL;
CREATE INDEX sessions_person ON sessions (person) WHERE person IS NOT NULL;
CREATE INDEX sessions_account ON sessions (account);

ALTER TABLE tokens ADD COLUMN person TEXT REFERENCES people (id) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN grade TEXT NOT NULL DEFAULT 'own'
    CHECK (grade IN ('read', 'chat', 'manage', 'own'));
ALTER TABLE tokens ADD COLUMN used INTEGER;
ALTER TABLE tokens ADD COLUMN by_session TEXT REFERENCES sessions (id) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN by_token TEXT REFERENCES tokens (id) ON DELETE CASCADE;
CREATE INDEX tokens_by_session ON tokens (by_session) WHERE by_session IS NOT NULL;
CREATE INDEX tokens_by_token ON tokens (by_token) WHERE by_token IS NOT NULL;
CREATE INDEX tokens_person ON tokens (person) WHERE person IS NOT NULL;
