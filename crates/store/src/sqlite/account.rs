//! Accounts in SQLite. An account's audit chain begins with it, signed and empty.

use smartbox_core::BoxFuture;
use smartbox_core::account::Account;
use smartbox_core::account::port::Accounts;
use smartbox_core::id::AccountId;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::labels;
use super::records::{Records, decoded, signed};
use crate::chain::{Head, START};

const INSERT: &str = "INSERT INTO accounts \
    (id, name, created, display, labels, disabled, removing, revision) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/// The name is for ever: other things are called after it.
const UPDATE: &str = "UPDATE accounts SET (display, labels, disabled, removing, revision) \
    = (?2, ?3, ?4, ?5, ?6) WHERE id = ?1 AND buried IS NULL";

/// Those that are not buried.
macro_rules! select {
    () => {
        "SELECT id, name, created, display, labels, disabled, removing, revision \
         FROM accounts WHERE buried IS NULL"
    };
}

impl Accounts for Records<'_> {
    fn add(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(INSERT)
                .bind(account.id.as_str())
                .bind(&account.name)
                .bind(account.created.0)
                .bind(&account.display)
                .bind(labels::written(&account.labels)?)
                .bind(account.disabled)
                .bind(account.removing)
                .bind(signed(account.revision, "accounts.revision")?)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            let id = account.id.as_str();
            let head = Head::sign(&self.vault.signer, id, 0, START.to_owned());
            self.put_head(id, &head).await
        })
    }

    fn get(&mut self, id: AccountId) -> BoxFuture<'_, Result<Option<Account>, StoreError>> {
        Box::pin(async move {
            sqlx::query(concat!(select!(), " AND id = ?"))
                .bind(id.as_str())
                .try_map(|row| account(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn named(&mut self, name: String) -> BoxFuture<'_, Result<Option<Account>, StoreError>> {
        Box::pin(async move {
            sqlx::query(concat!(select!(), " AND name = ?"))
                .bind(name)
                .try_map(|row| account(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(UPDATE)
                .bind(account.id.as_str())
                .bind(&account.display)
                .bind(labels::written(&account.labels)?)
                .bind(account.disabled)
                .bind(account.removing)
                .bind(signed(account.revision, "accounts.revision")?)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "account" }),
                _ => Ok(()),
            }
        })
    }

    fn bury(&mut self, id: AccountId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        // What it held goes; the row stays, for the audit and the releases that refer to it.
        const BURY: [&str; 6] = [
            "DELETE FROM members WHERE account = ?",
            "DELETE FROM devices WHERE account = ?",
            "DELETE FROM sessions WHERE account = ?",
            "DELETE FROM tokens WHERE account = ?",
            "DELETE FROM secrets WHERE account = ?",
            "UPDATE accounts SET display = '', labels = '{}' WHERE id = ?",
        ];
        Box::pin(async move {
            let held: i64 = sqlx::query_scalar("SELECT count(*) FROM smartboxes WHERE account = ?")
                .bind(id.as_str())
                .fetch_one(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            if held > 0 {
                return Err(StoreError::Exists { what: "smartbox of the account" });
            }
            for sql in BURY {
                let query = sqlx::query(sql).bind(id.as_str());
                query.execute(self.conn()?).await.map_err(|e| self.failed(e))?;
            }
            sqlx::query("UPDATE accounts SET buried = ?2 WHERE id = ?1 AND buried IS NULL")
                .bind(id.as_str())
                .bind(at.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Account>, StoreError>> {
        Box::pin(async move {
            sqlx::query(concat!(select!(), " ORDER BY name"))
                .try_map(|row| account(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }
}

fn account(row: &SqliteRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        id: decoded(row.try_get::<String, _>("id")?.parse().ok(), "accounts.id")?,
        name: row.try_get("name")?,
        display: row.try_get("display")?,
        labels: labels::read(row.try_get("labels")?)?,
        disabled: row.try_get("disabled")?,
        removing: row.try_get("removing")?,
        revision: decoded(
            u64::try_from(row.try_get::<i64, _>("revision")?).ok(),
            "accounts.revision",
        )?,
        created: Timestamp(row.try_get("created")?),
    })
}
