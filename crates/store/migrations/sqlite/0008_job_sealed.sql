-- What runs of a job need and nobody is shown, until the job is over. Sealed as secrets are, in the
-- place (job, 'job input', 1).
CREATE TABLE job_sealed (
    job      TEXT    NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    data_key INTEGER NOT NULL REFERENCES data_keys (id),
    sealed   BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
