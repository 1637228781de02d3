//! Sessions in SQLite. What has expired is as good as gone in every statement.

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, PersonId, SessionId, SmartboxId};
use smartbox_core::person::Right;
use smartbox_core::session::port::Sessions;
use smartbox_core::session::{By, Root, Session};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite};

use super::records::{Records, decoded};

/// A statement over a whole row, its columns in the order of the table.
fn bound<'q>(sql: &'static str, session: &'q Session) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(sql)
        .bind(session.id.as_str())
        .bind(&session.hash)
        .bind(session.account.as_str())
        .bind(session.person.as_ref().map(|id| id.as_str()))
        .bind(session.smartbox.as_ref().map(|id| id.as_str()))
        .bind(session.right.as_str())
        .bind(session.root.session.as_ref().map(|id| id.as_str()))
        .bind(session.root.token.as_ref().map(|id| id.as_str()))
        .bind(session.root.device.as_ref().map(|id| id.as_str()))
        .bind(session.created.0)
        .bind(session.seen.0)
        .bind(session.expires.0)
        .bind(session.proved.map(|at| at.0))
}

impl Sessions for Records<'_> {
    fn add(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql =
                "INSERT INTO sessions (id, hash, account, person, smartbox, grade, by_session,
                           by_token, by_device, created, seen, expires, proved)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
            bound(sql, &session)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "account, person, smartbox or root"))?;
            Ok(())
        })
    }

    fn put(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = "UPDATE sessions SET hash = ?2, account = ?3, person = ?4, smartbox = ?5, grade = ?6,
                           by_session = ?7, by_token = ?8, by_device = ?9, created = ?10, seen = ?11,
                           expires = ?12, proved = ?13
                       WHERE id = ?1";
            let done = bound(sql, &session)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "account, person, smartbox or root"))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "session" }),
                _ => Ok(()),
            }
        })
    }

    fn find(
        &mut self,
        by: By,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Session>, StoreError>> {
        Box::pin(async move {
            let (sql, value) = match by {
                By::Cookie(hash) => ("SELECT * FROM sessions WHERE hash = ? AND expires > ?", hash),
                By::Id(id) => ("SELECT * FROM sessions WHERE id = ? AND expires > ?", id.into()),
            };
            sqlx::query(sql)
                .bind(value)
                .bind(now.0)
                .try_map(|row| session(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn seen(&mut self, id: SessionId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("UPDATE sessions SET seen = max(seen, ?2) WHERE id = ?1")
                .bind(id.as_str())
                .bind(at.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn end(&mut self, hash: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM sessions WHERE hash = ?")
                .bind(hash)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn list(
        &mut self,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<Session>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT * FROM sessions WHERE account = ? AND expires > ? ORDER BY created DESC, id",
            )
            .bind(account.as_str())
            .bind(now.0)
            .try_map(|row| session(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn end_all(&mut self, person: PersonId) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM sessions WHERE person = ?")
                .bind(person.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected())
        })
    }

    fn sweep(&mut self, now: Timestamp, idle: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM sessions WHERE expires <= ? OR seen < ?")
                .bind(now.0)
                .bind(idle.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected())
        })
    }
}

fn session(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "sessions.id")?,
        hash: row.try_get("hash")?,
        account: decoded(row.try_get::<&str, _>("account")?.parse().ok(), "sessions.account")?,
        person: person(row)?,
        smartbox: smartbox(row)?,
        right: decoded(Right::parse(row.try_get("grade")?), "sessions.grade")?,
        root: root(row)?,
        created: Timestamp(row.try_get("created")?),
        seen: Timestamp(row.try_get("seen")?),
        expires: Timestamp(row.try_get("expires")?),
        proved: row.try_get::<Option<i64>, _>("proved")?.map(Timestamp),
    })
}

/// Whose it is, if a person's.
pub(super) fn person(row: &SqliteRow) -> Result<Option<PersonId>, sqlx::Error> {
    match row.try_get::<Option<&str>, _>("person")? {
        None => Ok(None),
        Some(id) => decoded(id.parse().ok(), "person").map(Some),
    }
}

/// Which box it is for, if for one.
pub(super) fn smartbox(row: &SqliteRow) -> Result<Option<SmartboxId>, sqlx::Error> {
    match row.try_get::<Option<&str>, _>("smartbox")? {
        None => Ok(None),
        Some(id) => decoded(id.parse().ok(), "smartbox").map(Some),
    }
}

/// What it hangs on.
pub(super) fn root(row: &SqliteRow) -> Result<Root, sqlx::Error> {
    let session = match row.try_get::<Option<&str>, _>("by_session")? {
        None => None,
        Some(id) => Some(decoded(id.parse().ok(), "by_session")?),
    };
    let token = match row.try_get::<Option<&str>, _>("by_token")? {
        None => None,
        Some(id) => Some(decoded(id.parse().ok(), "by_token")?),
    };
    let device = match row.try_get::<Option<&str>, _>("by_device")? {
        None => None,
        Some(id) => Some(decoded(id.parse().ok(), "by_device")?),
    };
    Ok(Root { session, token, device })
}
