//! Sessions and tokens in SQLite. What has expired is as good as gone in every statement.

use smartbox_core::BoxFuture;
use smartbox_core::id::AccountId;
use smartbox_core::session::port::Sessions;
use smartbox_core::session::{Purpose, Session, Token};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded};

impl Sessions for Records<'_> {
    fn add_session(&mut self, session: Session) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO sessions (id, hash, account, smartbox, created, expires)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(session.id.as_str())
            .bind(&session.hash)
            .bind(session.account.as_str())
            .bind(session.smartbox.as_ref().map(|id| id.as_str()))
            .bind(session.created.0)
            .bind(session.expires.0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "account or smartbox"))?;
            Ok(())
        })
    }

    fn session(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Session>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT id, hash, account, smartbox, created, expires FROM sessions
                 WHERE hash = ? AND expires > ?",
            )
            .bind(hash)
            .bind(now.0)
            .try_map(|row| session(&row))
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn end_session(&mut self, hash: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM sessions WHERE hash = ?")
                .bind(hash)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn add_token(&mut self, token: Token) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO tokens (id, hash, account, smartbox, purpose, created, expires)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(token.id.as_str())
            .bind(&token.hash)
            .bind(token.account.as_str())
            .bind(token.smartbox.as_ref().map(|id| id.as_str()))
            .bind(token.purpose.as_str())
            .bind(token.created.0)
            .bind(token.expires.map(|at| at.0))
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "account or smartbox"))?;
            Ok(())
        })
    }

    fn token(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT id, hash, account, smartbox, purpose, created, expires FROM tokens
                 WHERE hash = ? AND (expires IS NULL OR expires > ?)",
            )
            .bind(hash)
            .bind(now.0)
            .try_map(|row| token(&row))
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn burn(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "DELETE FROM tokens WHERE hash = ? AND (expires IS NULL OR expires > ?)
                 RETURNING id, hash, account, smartbox, purpose, created, expires",
            )
            .bind(hash)
            .bind(now.0)
            .try_map(|row| token(&row))
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn revoke(
        &mut self,
        account: AccountId,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM tokens WHERE account = ? AND purpose = ?")
                .bind(account.as_str())
                .bind(purpose.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let mut rows = 0;
            for sql in
                ["DELETE FROM sessions WHERE expires <= ?", "DELETE FROM tokens WHERE expires <= ?"]
            {
                let done = sqlx::query(sql)
                    .bind(now.0)
                    .execute(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
                rows += done.rows_affected();
            }
            Ok(rows)
        })
    }
}

fn session(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "id")?,
        hash: row.try_get("hash")?,
        account: decoded(row.try_get::<&str, _>("account")?.parse().ok(), "account")?,
        smartbox: smartbox(row)?,
        created: Timestamp(row.try_get("created")?),
        expires: Timestamp(row.try_get("expires")?),
    })
}

fn token(row: &SqliteRow) -> Result<Token, sqlx::Error> {
    Ok(Token {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "id")?,
        hash: row.try_get("hash")?,
        account: decoded(row.try_get::<&str, _>("account")?.parse().ok(), "account")?,
        smartbox: smartbox(row)?,
        purpose: decoded(Purpose::parse(row.try_get("purpose")?), "purpose")?,
        created: Timestamp(row.try_get("created")?),
        expires: row.try_get::<Option<i64>, _>("expires")?.map(Timestamp),
    })
}

fn smartbox(row: &SqliteRow) -> Result<Option<smartbox_core::id::SmartboxId>, sqlx::Error> {
    match row.try_get::<Option<&str>, _>("smartbox")? {
        None => Ok(None),
        Some(id) => decoded(id.parse().ok(), "smartbox").map(Some),
    }
}
