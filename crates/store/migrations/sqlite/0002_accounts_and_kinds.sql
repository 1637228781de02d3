ALTER TABLE accounts ADD COLUMN display  TEXT    NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN labels   TEXT    NOT NULL DEFAULT '{}'; -- JSON, an object of strings
ALTER TABLE accounts ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
ALTER TABLE accounts ADD COLUMN removing INTEGER NOT NULL DEFAULT 0 CHECK (removing IN (0, 1));
ALTER TABLE accounts ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
-- A buried account keeps its row, since its audit refers to it; its name is free again.
ALTER TABLE accounts ADD COLUMN buried   INTEGER;
DROP INDEX accounts_name;
CREATE UNIQUE INDEX accounts_name ON accounts (name) WHERE buried IS NULL;

ALTER TABLE smartboxes ADD COLUMN display      TEXT    NOT NULL DEFAULT '';
ALTER TABLE smartboxes ADD COLUMN labels       TEXT    NOT NULL DEFAULT '{}'; -- JSON, an object of strings
ALTER TABLE smartboxes ADD COLUMN base         TEXT    NOT NULL DEFAULT 'custom';
ALTER TABLE smartboxes ADD COLUMN running_tier TEXT;
ALTER TABLE smartboxes ADD COLUMN freeze_after INTEGER; -- milliseconds; none: the platform's
ALTER TABLE smartboxes ADD COLUMN stop_after   INTEGER;
-- The homes that are there already are their owners': nothing is put into them.
ALTER TABLE smartboxes ADD COLUMN furnished    INTEGER NOT NULL DEFAULT 1 CHECK (furnished IN (0, 1));
ALTER TABLE smartboxes ADD COLUMN revision     INTEGER NOT NULL DEFAULT 1;

-- A kind was one of four words; now it is the name of a template, and `base` is the word. An
-- account has one PA: of several the oldest stays it, and the others are like any other.
UPDATE smartboxes SET running_tier = tier WHERE epoch > 0;
UPDATE smartboxes SET base = kind;
UPDATE smartboxes SET base = 'custom', kind = 'custom'
WHERE base = 'pa' AND EXISTS (
    SELECT 1 FROM smartboxes o
    WHERE o.account = smartboxes.account AND o.base = 'pa'
      AND (o.created, o.id) < (smartboxes.created, smartboxes.id)
);
CREATE UNIQUE INDEX smartboxes_pa ON smartboxes (account) WHERE base = 'pa';
