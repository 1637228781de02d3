//! Accounts in SQLite. An account's audit chain begins with it, signed and empty.

use smartbox_core::BoxFuture;
use smartbox_core::account::Account;
use smartbox_core::account::port::Accounts;
use smartbox_core::id::AccountId;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded};
use crate::chain::{Head, START};

impl Accounts for Records<'_> {
    fn add(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("INSERT INTO accounts (id, name, created) VALUES (?, ?, ?)")
                .bind(account.id.as_str())
                .bind(&account.name)
                .bind(account.created.0)
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
            sqlx::query("SELECT id, name, created FROM accounts WHERE id = ?")
                .bind(id.as_str())
                .try_map(|row| account(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn named(&mut self, name: String) -> BoxFuture<'_, Result<Option<Account>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT id, name, created FROM accounts WHERE name = ?")
                .bind(name)
                .try_map(|row| account(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Account>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT id, name, created FROM accounts ORDER BY name")
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
        created: Timestamp(row.try_get("created")?),
    })
}
