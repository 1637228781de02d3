//! Changing keys while everything goes on: the master key by wrapping the data keys anew, the data key by
//! sealing every value anew, some at a time.

use std::sync::{Arc, Mutex, PoisonError};

use smartbox_core::BoxFuture;
use smartbox_core::secret::port::Rotation;
use smartbox_core::secret::{Rotated, RotationError, VaultKeys};
use smartbox_core::store::StoreError;
use sqlx::Row;

use super::Sqlite;
use super::records::Records;
use crate::keys::{Keys, KeysError};
use crate::seal::Place;

/// Values that are sealed anew in one unit of work.
const BATCH: u32 = 200;

/// A table with sealed values, and where in the place each lies. What is to be sealed anew is found by
/// that, since it is another for each row.
struct Sealed {
    table: &'static str,
    select: &'static str,
    update: &'static str,
}

macro_rules! sealed {
    ($table:literal, $scope:literal, $name:literal, $version:literal) => {
        Sealed {
            table: $table,
            select: concat!(
                "SELECT ",
                $scope,
                " AS scope, ",
                $name,
                " AS name, ",
                $version,
                " AS version,
                 data_key, sealed FROM ",
                $table,
                " WHERE data_key < ? AND sealed IS NOT NULL LIMIT ?"
            ),
            update: concat!(
                "UPDATE ",
                $table,
                " SET data_key = ?, sealed = ? WHERE data_key = ? AND ",
                $scope,
                " = ? AND ",
                $name,
                " = ? AND ",
                $version,
                " = ?"
            ),
        }
    };
}

/// Every table that refers to a data key.
const TABLES: &[Sealed] = &[
    sealed!("signing_keys", "'platform key'", "'audit'", "version"),
    sealed!("secrets", "scope", "name", "version"),
    sealed!("secret_versions", "scope", "name", "version"),
    sealed!("config_revisions", "smartbox", "'engine config'", "seq"),
    sealed!("replies", "'reply ' || account || ' ' || route", "key", "1"),
    sealed!("archives", "smartbox", "'repository key'", "1"),
    sealed!("job_sealed", "job", "'job input'", "1"),
];

/// The tables whose values a change of the data key seals anew.
pub fn sealed_tables() -> Vec<&'static str> {
    TABLES.iter().map(|sealed| sealed.table).collect()
}

impl Rotation for Sqlite {
    fn keys(&self) -> BoxFuture<'_, Result<VaultKeys, RotationError>> {
        Box::pin(async move {
            let master = self.master.lock().await.id().to_owned();
            let data_key = self.vault.now().data_id;
            let left = self.work(|records| Box::pin(records.left())).await?;
            Ok(VaultKeys { master, data_key, left })
        })
    }

    fn rotate_master(&self) -> BoxFuture<'_, Result<String, RotationError>> {
        Box::pin(async move {
            let mut master = self.master.lock().await;
            self.catch_up(&mut master).await?;
            let vault = self.vault.now();
            let next = master.successor(vault.entropy()).map_err(of_key)?;
            let next = next.ok_or(RotationError::NotOurs)?;
            let (id, new) = (next.id().to_owned(), next.clone());
            self.work(move |records| Box::pin(async move { records.rewrap(&new).await })).await?;
            // From here on the database is under it: a start that finds both files takes this one.
            let promoted = master.succeed(next);
            vault.follow(&master);
            promoted.map_err(of_key)?;
            Ok(id)
        })
    }

    fn rotate_data(&self) -> BoxFuture<'_, Result<Rotated, RotationError>> {
        Box::pin(async move {
            let mut master = self.master.lock().await;
            self.catch_up(&mut master).await?;
            // One that was cut off is finished first, and is the one that was asked for.
            let resumed = self.work(|records| Box::pin(records.left())).await? > 0;
            if !resumed {
                let keys = master.clone();
                let key = self.vault.now().fresh();
                let new = key.clone();
                let made = self.work(move |records| {
                    Box::pin(async move { records.make_data_key(&keys, &new).await })
                });
                self.vault.renew(made.await?, key);
            }
            let mut resealed = 0;
            loop {
                let some = self.work(|records| Box::pin(records.reseal())).await?;
                resealed += some;
                if some == 0 {
                    break;
                }
            }
            self.work(|records| Box::pin(records.drop_data_keys())).await?;
            Ok(Rotated { data_key: self.vault.now().data_id, resealed, resumed })
        })
    }
}

fn of_key(error: KeysError) -> RotationError {
    RotationError::Key { source: error.into() }
}

impl Sqlite {
    /// Takes note of what an earlier change came to whose caller went away before its end.
    async fn catch_up(&self, master: &mut Keys) -> Result<(), RotationError> {
        let (under, newest) = self.work(|records| Box::pin(records.newest_key())).await?;
        master.look_beside().map_err(of_key)?;
        let Some(key) = master.named(&under).cloned() else {
            let why = "the database is under another master key than the one at hand";
            return Err(RotationError::Key { source: why.into() });
        };
        if master.is_file() {
            master.settle(&under).map_err(of_key)?;
        }
        self.vault.now().follow(master);
        let (id, version, wrapped) = newest;
        if id > self.vault.now().data_id {
            self.vault.renew(id, super::vault::unwrap(&key, id, version, &wrapped)?);
        }
        Ok(())
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> FnOnce(&'t mut Records<'c>) -> BoxFuture<'t, Result<T, StoreError>>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        let slot = Arc::new(Mutex::new(None));
        let inner = slot.clone();
        self.queue(Box::new(move |records| {
            Box::pin(async move {
                let value = work(records).await?;
                *inner.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(())
            })
        }))
        .await?;
        let value = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or(StoreError::Broken("a work brought nothing back".into()))
    }
}

impl Records<'_> {
    /// The master key's fingerprint, and the newest data key's row.
    async fn newest_key(&mut self) -> Result<(String, (i64, i64, Vec<u8>)), StoreError> {
        let row: (String, i64, i64, Vec<u8>) = sqlx::query_as(
            "SELECT master, id, version, wrapped FROM data_keys ORDER BY id DESC LIMIT 1",
        )
        .fetch_one(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        Ok((row.0, (row.1, row.2, row.3)))
    }

    /// Data keys besides the newest: values are left under them.
    async fn left(&mut self) -> Result<u64, StoreError> {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM data_keys WHERE id < ?")
            .bind(self.vault.data_id)
            .fetch_one(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(u64::try_from(left).unwrap_or(0))
    }

    /// Wraps every data key under another master key.
    async fn rewrap(&mut self, keys: &Keys) -> Result<(), StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT id, version FROM data_keys")
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        for (id, version) in rows {
            let version = version.saturating_add(1);
            let key = self.vault.key(id)?;
            let wrapped = self.vault.wrap(keys.master(), id, version, &key)?;
            sqlx::query("UPDATE data_keys SET version = ?, master = ?, wrapped = ? WHERE id = ?")
                .bind(version)
                .bind(keys.id())
                .bind(wrapped)
                .bind(id)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    async fn make_data_key(
        &mut self,
        keys: &Keys,
        key: &crate::seal::Key,
    ) -> Result<i64, StoreError> {
        let id = self.vault.data_id.saturating_add(1);
        let wrapped = self.vault.wrap(keys.master(), id, 1, key)?;
        sqlx::query(
            "INSERT INTO data_keys (id, version, master, wrapped, created) VALUES (?, 1, ?, ?, ?)",
        )
        .bind(id)
        .bind(keys.id())
        .bind(wrapped)
        .bind(self.vault.clock.now().0)
        .execute(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(id)
    }

    /// Seals some values anew that are under an older data key; how many.
    async fn reseal(&mut self) -> Result<u64, StoreError> {
        let current = self.vault.data_id;
        for Sealed { select, update, .. } in TABLES {
            let rows = sqlx::query(*select)
                .bind(current)
                .bind(BATCH)
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            if rows.is_empty() {
                continue;
            }
            let count = rows.len() as u64;
            for row in rows {
                let read = || -> Result<(String, String, i64, i64, Vec<u8>), sqlx::Error> {
                    Ok((
                        row.try_get("scope")?,
                        row.try_get("name")?,
                        row.try_get("version")?,
                        row.try_get("data_key")?,
                        row.try_get("sealed")?,
                    ))
                };
                let (scope, name, version, key, sealed) = read().map_err(|e| self.failed(e))?;
                let place = Place { scope: &scope, name: &name, version, key };
                let anew = self.vault.seal_anew(&place, &sealed)?;
                sqlx::query(*update)
                    .bind(current)
                    .bind(anew)
                    .bind(key)
                    .bind(&scope)
                    .bind(&name)
                    .bind(version)
                    .execute(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
            }
            return Ok(count);
        }
        Ok(0)
    }

    /// Removes data keys that nothing is under any more; the database itself sees to that.
    async fn drop_data_keys(&mut self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM data_keys WHERE id < ?")
            .bind(self.vault.data_id)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }
}
