//! Issues in SQLite.

use smartbox_core::BoxFuture;
use smartbox_core::id::IssueId;
use smartbox_core::issue::port::Issues;
use smartbox_core::issue::{Filter, Issue, Kind, Severity, Tally};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded, signed};

/// The columns in the order of the insert.
macro_rules! columns {
    () => {
        "id, account, smartbox, kind, severity, key, message, hint, count, first, last, resolved"
    };
}

/// What a filter admits; its values are bound as ?1 to ?4.
macro_rules! admitted {
    () => {
        "(?1 IS NULL OR account = ?1) AND (?2 IS NULL OR smartbox = ?2) \
         AND (?3 IS NULL OR (resolved IS NULL) = ?3) AND (?4 IS NULL OR severity = ?4)"
    };
}

impl Issues for Records<'_> {
    fn raise(&mut self, issue: Issue) -> BoxFuture<'_, Result<(), StoreError>> {
        const SQL: &str = concat!(
            "INSERT INTO issues (",
            columns!(),
            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) WHERE resolved IS NULL DO UPDATE SET
                 count = min(count + excluded.count, 9007199254740991), last = max(last, excluded.last),
                 severity = excluded.severity, message = excluded.message, hint = excluded.hint"
        );
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(issue.id.as_str())
                .bind(issue.account.as_ref().map(|id| id.as_str()))
                .bind(issue.smartbox.as_ref().map(|id| id.as_str()))
                .bind(issue.kind.as_str())
                .bind(issue.severity.as_str())
                .bind(&issue.key)
                .bind(&issue.message)
                .bind(&issue.hint)
                .bind(signed(issue.count, "issues.count")?)
                .bind(issue.first.0)
                .bind(issue.last.0)
                .bind(issue.resolved.map(|at| at.0))
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "smartbox"))?;
            Ok(())
        })
    }

    fn settle(&mut self, key: String, now: Timestamp) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let done =
                sqlx::query("UPDATE issues SET resolved = ? WHERE key = ? AND resolved IS NULL")
                    .bind(now.0)
                    .bind(key)
                    .execute(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn get(&mut self, id: IssueId) -> BoxFuture<'_, Result<Option<Issue>, StoreError>> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM issues WHERE id = ?");
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(id.as_str())
                .try_map(|row| read(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn list(
        &mut self,
        filter: Filter,
        after: Option<IssueId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Issue>, StoreError>> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM issues WHERE ",
            admitted!(),
            " AND (?5 IS NULL OR seq < (SELECT seq FROM issues WHERE id = ?5)) ORDER BY seq DESC LIMIT ?6"
        );
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(filter.account.map(String::from))
                .bind(filter.smartbox.map(String::from))
                .bind(filter.open)
                .bind(filter.severity.map(Severity::as_str))
                .bind(after.map(String::from))
                .bind(limit)
                .try_map(|row| read(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn tally(&mut self, filter: Filter) -> BoxFuture<'_, Result<Vec<Tally>, StoreError>> {
        const SQL: &str = concat!(
            "SELECT smartbox, severity, count(*) AS open FROM issues WHERE resolved IS NULL AND ",
            admitted!(),
            " GROUP BY smartbox, severity"
        );
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(filter.account.map(String::from))
                .bind(filter.smartbox.map(String::from))
                .bind(filter.open)
                .bind(filter.severity.map(Severity::as_str))
                .try_map(|row: SqliteRow| {
                    let smartbox: Option<&str> = row.try_get("smartbox")?;
                    Ok(Tally {
                        smartbox: smartbox
                            .map(|id| decoded(id.parse().ok(), "smartbox"))
                            .transpose()?,
                        severity: decoded(Severity::parse(row.try_get("severity")?), "severity")?,
                        open: decoded(u64::try_from(row.try_get::<i64, _>("open")?).ok(), "open")?,
                    })
                })
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn sweep(&mut self, before: Timestamp, most: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "DELETE FROM issues WHERE resolved < ?1 OR seq IN (
                     SELECT seq FROM issues WHERE resolved IS NOT NULL ORDER BY resolved DESC, seq DESC
                     LIMIT -1 OFFSET ?2)",
            )
            .bind(before.0)
            .bind(most)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected())
        })
    }
}

fn read(row: &SqliteRow) -> Result<Issue, sqlx::Error> {
    let text = |column| row.try_get::<&str, _>(column);
    let maybe = |column| row.try_get::<Option<&str>, _>(column);
    Ok(Issue {
        id: decoded(text("id")?.parse().ok(), "id")?,
        account: maybe("account")?.map(|id| decoded(id.parse().ok(), "account")).transpose()?,
        smartbox: maybe("smartbox")?.map(|id| decoded(id.parse().ok(), "smartbox")).transpose()?,
        kind: decoded(Kind::parse(text("kind")?), "kind")?,
        severity: decoded(Severity::parse(text("severity")?), "severity")?,
        key: row.try_get("key")?,
        message: row.try_get("message")?,
        hint: row.try_get("hint")?,
        count: decoded(u64::try_from(row.try_get::<i64, _>("count")?).ok(), "count")?,
        first: Timestamp(row.try_get("first")?),
        last: Timestamp(row.try_get("last")?),
        resolved: row.try_get::<Option<i64>, _>("resolved")?.map(Timestamp),
    })
}
