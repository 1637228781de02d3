//! Smartboxes in SQLite: one row each, a column for every field.

use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::port::Boxes;
use smartbox_core::smartbox::{
    Base, Desired, Failure, Kind, Reason, Rest, SleepChoice, Smartbox, State,
};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite};

use super::labels;
use super::records::{Records, decoded, signed};

/// The columns in the order of [`bind`].
macro_rules! columns {
    () => {
        "id, account, name, label, kind, tier, engine, desired, rest, state, \
         failure_reason, failure_message, failure_hint, failure_at, epoch, restart, restarted, \
         slot, alarm, suspension, last_active, failures, retry_at, removing, created, \
         display, labels, base, running_tier, freeze_after, stop_after, furnished, revision, vitals"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO smartboxes (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
     ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
// Numbered throughout: sqlx does not count a mix of `?` and `?1` as SQLite does.
const UPDATE: &str = concat!(
    "UPDATE smartboxes SET (",
    columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
     ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, \
     ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34) WHERE id = ?1"
);

impl Boxes for Records<'_> {
    fn add(&mut self, row: Smartbox) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let query = bind(INSERT, &row)?;
            query.execute(self.conn()?).await.map_err(|e| self.failed_referring(e, "account"))?;
            Ok(())
        })
    }

    fn get(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM smartboxes WHERE id = ?");
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(id.as_str())
                .try_map(|row| smartbox(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn named(
        &mut self,
        account: AccountId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>> {
        const SQL: &str =
            concat!("SELECT ", columns!(), " FROM smartboxes WHERE account = ? AND name = ?");
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(account.as_str())
                .bind(name)
                .try_map(|row| smartbox(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn labelled(&mut self, label: String) -> BoxFuture<'_, Result<Option<Smartbox>, StoreError>> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM smartboxes WHERE label = ?");
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(label)
                .try_map(|row| smartbox(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn list(
        &mut self,
        account: Option<AccountId>,
    ) -> BoxFuture<'_, Result<Vec<Smartbox>, StoreError>> {
        const ALL: &str = concat!("SELECT ", columns!(), " FROM smartboxes ORDER BY name, id");
        const OF_ONE: &str =
            concat!("SELECT ", columns!(), " FROM smartboxes WHERE account = ? ORDER BY name");
        Box::pin(async move {
            let query = match account {
                None => sqlx::query(ALL),
                Some(id) => sqlx::query(OF_ONE).bind(String::from(id)),
            };
            query
                .try_map(|row| smartbox(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put(&mut self, row: Smartbox) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let query = bind(UPDATE, &row)?;
            let done = query
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "account"))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "smartbox" }),
                _ => Ok(()),
            }
        })
    }

    fn remove(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM smartboxes WHERE id = ?")
                .bind(id.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn free_slot(&mut self) -> BoxFuture<'_, Result<u32, StoreError>> {
        Box::pin(async move {
            sqlx::query_scalar(
                "SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM smartboxes WHERE slot = 0) THEN 0 ELSE (
                     SELECT min(b.slot) + 1 FROM smartboxes b
                     WHERE NOT EXISTS (SELECT 1 FROM smartboxes n WHERE n.slot = b.slot + 1)
                 ) END",
            )
            .fetch_one(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }
}

fn bind<'q>(
    sql: &'static str,
    row: &'q Smartbox,
) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    let failure = row.failure.as_ref();
    let vitals = serde_json::to_string(&row.vitals).map_err(|e| StoreError::Broken(e.into()))?;
    Ok(sqlx::query(sql)
        .bind(row.id.as_str())
        .bind(row.account.as_str())
        .bind(&row.name)
        .bind(&row.label)
        .bind(row.kind.as_str())
        .bind(&row.tier)
        .bind(&row.engine)
        .bind(row.desired.as_str())
        .bind(row.rest.map(Rest::as_str))
        .bind(row.state.as_str())
        .bind(failure.map(|f| f.reason.as_str()))
        .bind(failure.map(|f| f.message.as_str()))
        .bind(failure.map(|f| f.hint.as_str()))
        .bind(failure.map(|f| f.at.0))
        .bind(signed(row.epoch, "smartboxes.epoch")?)
        .bind(signed(row.restart, "smartboxes.restart")?)
        .bind(signed(row.restarted, "smartboxes.restarted")?)
        .bind(row.slot)
        .bind(row.alarm.map(|at| at.0))
        .bind(row.suspension.as_deref())
        .bind(row.last_active.0)
        .bind(row.failures)
        .bind(row.retry_at.map(|at| at.0))
        .bind(row.removing)
        .bind(row.created.0)
        .bind(&row.display)
        .bind(labels::written(&row.labels)?)
        .bind(row.base.as_str())
        .bind(row.running_tier.as_deref())
        .bind(millis(row.sleep.freeze_after, "smartboxes.freeze_after")?)
        .bind(millis(row.sleep.stop_after, "smartboxes.stop_after")?)
        .bind(row.furnished)
        .bind(signed(row.revision, "smartboxes.revision")?)
        .bind(vitals))
}

fn millis(time: Option<Duration>, column: &'static str) -> Result<Option<i64>, StoreError> {
    let millis =
        |time: Duration| signed(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), column);
    time.map(millis).transpose()
}

fn smartbox(row: &SqliteRow) -> Result<Smartbox, sqlx::Error> {
    let count = |column| -> Result<u64, sqlx::Error> {
        decoded(u64::try_from(row.try_get::<i64, _>(column)?).ok(), column)
    };
    let time = |column| -> Result<Timestamp, sqlx::Error> { Ok(Timestamp(row.try_get(column)?)) };
    let maybe_time = |column| -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp))
    };
    let text = |column| row.try_get::<&str, _>(column);
    let failure = match row.try_get::<Option<&str>, _>("failure_reason")? {
        None => None,
        Some(reason) => Some(Failure {
            reason: decoded(Reason::parse(reason), "failure_reason")?,
            message: row.try_get("failure_message")?,
            hint: row.try_get("failure_hint")?,
            at: time("failure_at")?,
        }),
    };
    let span = |column| -> Result<Option<Duration>, sqlx::Error> {
        let millis = row.try_get::<Option<i64>, _>(column)?;
        let read = |millis| decoded(u64::try_from(millis).ok(), column).map(Duration::from_millis);
        millis.map(read).transpose()
    };
    let rest = match row.try_get::<Option<&str>, _>("rest")? {
        None => None,
        Some(word) => Some(decoded(Rest::parse(word), "rest")?),
    };
    Ok(Smartbox {
        id: decoded(text("id")?.parse().ok(), "id")?,
        account: decoded(text("account")?.parse().ok(), "account")?,
        name: row.try_get("name")?,
        label: row.try_get("label")?,
        kind: decoded(Kind::parse(text("kind")?), "kind")?,
        tier: row.try_get("tier")?,
        engine: row.try_get("engine")?,
        desired: decoded(Desired::parse(text("desired")?), "desired")?,
        rest,
        state: decoded(State::parse(text("state")?), "state")?,
        failure,
        epoch: count("epoch")?,
        restart: count("restart")?,
        restarted: count("restarted")?,
        slot: row.try_get("slot")?,
        alarm: maybe_time("alarm")?,
        suspension: row.try_get("suspension")?,
        last_active: time("last_active")?,
        failures: row.try_get("failures")?,
        retry_at: maybe_time("retry_at")?,
        removing: row.try_get("removing")?,
        display: row.try_get("display")?,
        labels: labels::read(text("labels")?)?,
        base: decoded(Base::parse(text("base")?), "base")?,
        running_tier: row.try_get("running_tier")?,
        sleep: SleepChoice { freeze_after: span("freeze_after")?, stop_after: span("stop_after")? },
        furnished: row.try_get("furnished")?,
        revision: count("revision")?,
        created: time("created")?,
        vitals: decoded(serde_json::from_str(text("vitals")?).ok(), "vitals")?,
    })
}
