//! Tokens in SQLite. What has expired is as good as gone wherever one signs in.

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::person::Right;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use smartbox_core::token::port::Tokens;
use smartbox_core::token::{Purpose, Token};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded};
use super::session::{person, root, smartbox};

impl Tokens for Records<'_> {
    fn add(&mut self, token: Token) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO tokens (id, hash, name, account, person, smartbox, purpose, grade,
                                     by_session, by_token, by_device, created, expires, used)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(token.id.as_str())
            .bind(&token.hash)
            .bind(&token.name)
            .bind(token.account.as_str())
            .bind(token.person.as_ref().map(|id| id.as_str()))
            .bind(token.smartbox.as_ref().map(|id| id.as_str()))
            .bind(token.purpose.as_str())
            .bind(token.right.as_str())
            .bind(token.root.session.as_ref().map(|id| id.as_str()))
            .bind(token.root.token.as_ref().map(|id| id.as_str()))
            .bind(token.root.device.as_ref().map(|id| id.as_str()))
            .bind(token.created.0)
            .bind(token.expires.map(|at| at.0))
            .bind(token.used.map(|at| at.0))
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "account, person, smartbox or root"))?;
            Ok(())
        })
    }

    fn find(
        &mut self,
        hash: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Token>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT * FROM tokens WHERE hash = ? AND (expires IS NULL OR expires > ?)")
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
                "DELETE FROM tokens WHERE hash = ? AND (expires IS NULL OR expires > ?) RETURNING *",
            )
            .bind(hash)
            .bind(now.0)
            .try_map(|row| token(&row))
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn list(
        &mut self,
        account: Option<AccountId>,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<Vec<Token>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT * FROM tokens WHERE purpose = ?1 AND (?2 IS NULL OR account = ?2)
                 ORDER BY created DESC, id",
            )
            .bind(purpose.as_str())
            .bind(account.as_ref().map(|id| id.as_str()))
            .try_map(|row| token(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn used(&mut self, id: TokenId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("UPDATE tokens SET used = max(coalesce(used, ?2), ?2) WHERE id = ?1")
                .bind(id.as_str())
                .bind(at.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn revoke(&mut self, id: TokenId) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM tokens WHERE id = ?")
                .bind(id.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn revoke_all(
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
            let done = sqlx::query("DELETE FROM tokens WHERE expires <= ?")
                .bind(now.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected())
        })
    }
}

fn token(row: &SqliteRow) -> Result<Token, sqlx::Error> {
    Ok(Token {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "tokens.id")?,
        hash: row.try_get("hash")?,
        name: row.try_get("name")?,
        account: decoded(row.try_get::<&str, _>("account")?.parse().ok(), "tokens.account")?,
        person: person(row)?,
        smartbox: smartbox(row)?,
        purpose: decoded(Purpose::parse(row.try_get("purpose")?), "tokens.purpose")?,
        right: decoded(Right::parse(row.try_get("grade")?), "tokens.grade")?,
        root: root(row)?,
        created: Timestamp(row.try_get("created")?),
        expires: row.try_get::<Option<i64>, _>("expires")?.map(Timestamp),
        used: row.try_get::<Option<i64>, _>("used")?.map(Timestamp),
    })
}
