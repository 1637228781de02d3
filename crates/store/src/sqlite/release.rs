//! Releasing secrets to brokers: the value and its count in one transaction, so that no release
//! goes uncounted.

use std::sync::{Arc, Mutex, PoisonError};

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::secret::port::{Release, Secrets};
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::smartbox::port::Boxes;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded};
use super::{Sqlite, error};
use crate::release::{self, Released, word};

impl Release for Sqlite {
    fn release(
        &self,
        id: SmartboxId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(self.release_from(id, None, name))
    }

    fn release_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(self.release_from(id, Some(scope), name))
    }

    fn peek_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(release::peek(self, id, scope, name))
    }
}

impl Sqlite {
    async fn release_from(
        &self,
        id: SmartboxId,
        of: Option<Scope>,
        name: String,
    ) -> Result<Option<Secret<String>>, StoreError> {
        let slot = Arc::new(Mutex::new(None));
        let inner = slot.clone();
        self.queue(Box::new(move |records| {
            Box::pin(async move {
                let value = records.release(id, of.as_ref(), name).await?;
                *inner.lock().unwrap_or_else(PoisonError::into_inner) = value;
                Ok(())
            })
        }))
        .await?;
        let value = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(value)
    }
}

impl Records<'_> {
    async fn release(
        &mut self,
        id: SmartboxId,
        of: Option<&Scope>,
        name: String,
    ) -> Result<Option<Secret<String>>, StoreError> {
        let row = Boxes::get(self, id).await?.ok_or(StoreError::Missing { what: "smartbox" })?;
        for scope in release::order(&row.id, &row.account, of) {
            let Some(value) = Secrets::open(self, scope.clone(), name.clone()).await? else {
                continue;
            };
            let minute = release::minute(self.vault.clock.now());
            sqlx::query(
                "INSERT INTO releases (account, smartbox, name, scope, minute, count)
                 VALUES (?, ?, ?, ?, ?, 1)
                 ON CONFLICT (account, minute, smartbox, name, scope) DO UPDATE SET count = count + 1",
            )
            .bind(row.account.as_str())
            .bind(row.id.as_str())
            .bind(&name)
            .bind(word(&scope))
            .bind(minute.0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            return Ok(Some(value));
        }
        Ok(None)
    }
}

impl Sqlite {
    /// How often secrets were released to an account's boxes since a time, oldest first.
    pub async fn releases(
        &self,
        account: AccountId,
        since: Timestamp,
    ) -> Result<Vec<Released>, StoreError> {
        sqlx::query(
            "SELECT minute, smartbox, name, scope, count FROM releases
             WHERE account = ? AND minute >= ? ORDER BY minute, smartbox, name, scope",
        )
        .bind(account.as_str())
        .bind(release::minute(since).0)
        .try_map(|row| released(&row))
        .fetch_all(&self.readers)
        .await
        .map_err(error::store)
    }
}

fn released(row: &SqliteRow) -> Result<Released, sqlx::Error> {
    Ok(Released {
        minute: Timestamp(row.try_get("minute")?),
        smartbox: decoded(row.try_get::<&str, _>("smartbox")?.parse().ok(), "smartbox")?,
        name: row.try_get("name")?,
        scope: row.try_get("scope")?,
        count: decoded(u64::try_from(row.try_get::<i64, _>("count")?).ok(), "count")?,
    })
}
