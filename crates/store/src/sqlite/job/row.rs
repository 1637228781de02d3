//! A job as a row of columns.

use serde_json::Value;
use smartbox_core::job::{Asked, Job, JobFailure, JobState, Progress};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Sqlite};

use super::super::records::{decoded, signed};

/// The columns in the order of [`bind`].
pub(super) const COLUMNS: &str = "id, account, smartbox, kind, actor, key, input, state, asked, done, total, unit, note, \
     checkpoint, result, failure_code, failure_detail, failure_hint, attempts, interruptions, \
     created, started, finished, expires";

/// `sql` is put together from constants of this room.
pub(super) fn bind(
    sql: String,
    job: &Job,
) -> Result<Query<'_, Sqlite, SqliteArguments>, StoreError> {
    let failure = job.failure.as_ref();
    let total = job.progress.total.map(|n| signed(n, "jobs.total")).transpose()?;
    Ok(sqlx::query(AssertSqlSafe(sql))
        .bind(job.id.as_str())
        .bind(job.account.as_str())
        .bind(job.smartbox.as_ref().map(|id| id.as_str()))
        .bind(&job.kind)
        .bind(&job.actor)
        .bind(job.key.as_deref())
        .bind(job.input.to_string())
        .bind(job.state.as_str())
        .bind(job.asked.map(Asked::as_str))
        .bind(signed(job.progress.done, "jobs.done")?)
        .bind(total)
        .bind(&job.progress.unit)
        .bind(&job.progress.note)
        .bind(job.checkpoint.to_string())
        .bind(job.result.as_ref().map(Value::to_string))
        .bind(failure.map(|f| f.code.as_str()))
        .bind(failure.map(|f| f.detail.as_str()))
        .bind(failure.map(|f| f.hint.as_str()))
        .bind(job.attempts)
        .bind(job.interruptions)
        .bind(job.created.0)
        .bind(job.started.map(|at| at.0))
        .bind(job.finished.map(|at| at.0))
        .bind(job.expires.map(|at| at.0)))
}

pub(super) fn job(row: &SqliteRow) -> Result<Job, sqlx::Error> {
    let text = |column| row.try_get::<&str, _>(column);
    let maybe = |column| row.try_get::<Option<&str>, _>(column);
    let time = |column| -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp))
    };
    let count = |column| -> Result<Option<u64>, sqlx::Error> {
        let n = row.try_get::<Option<i64>, _>(column)?;
        n.map(|n| decoded(u64::try_from(n).ok(), column)).transpose()
    };
    let failure = match row.try_get::<Option<String>, _>("failure_code")? {
        None => None,
        Some(code) => Some(JobFailure {
            code,
            detail: row.try_get("failure_detail")?,
            hint: row.try_get("failure_hint")?,
        }),
    };
    Ok(Job {
        id: decoded(text("id")?.parse().ok(), "id")?,
        account: decoded(text("account")?.parse().ok(), "account")?,
        smartbox: maybe("smartbox")?.map(|id| decoded(id.parse().ok(), "smartbox")).transpose()?,
        kind: row.try_get("kind")?,
        actor: row.try_get("actor")?,
        key: row.try_get("key")?,
        input: json(text("input")?, "input")?,
        state: decoded(JobState::parse(text("state")?), "state")?,
        asked: maybe("asked")?.map(|word| decoded(Asked::parse(word), "asked")).transpose()?,
        progress: Progress {
            done: count("done")?.unwrap_or(0),
            total: count("total")?,
            unit: row.try_get("unit")?,
            note: row.try_get("note")?,
        },
        checkpoint: json(text("checkpoint")?, "checkpoint")?,
        result: maybe("result")?.map(|text| json(text, "result")).transpose()?,
        failure,
        attempts: row.try_get("attempts")?,
        interruptions: row.try_get("interruptions")?,
        created: Timestamp(row.try_get("created")?),
        started: time("started")?,
        finished: time("finished")?,
        expires: time("expires")?,
    })
}

/// JSON that this program wrote.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &'static str,
) -> Result<T, sqlx::Error> {
    decoded(serde_json::from_str(text).ok(), column)
}
