//! Secrets in SQLite: only sealed values reach a statement.

use smartbox_core::BoxFuture;
use smartbox_core::secret::port::Secrets;
use smartbox_core::secret::{Scope, Secret, SecretInfo, SecretVersion, VERSIONS};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;

use super::error;
use super::records::{Records, decoded};
use crate::release::word;
use crate::seal::Place;

impl Secrets for Records<'_> {
    fn set(
        &mut self,
        scope: Scope,
        name: String,
        value: Secret<String>,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let before: Option<i64> =
                sqlx::query_scalar("SELECT version FROM secrets WHERE scope = ? AND name = ?")
                    .bind(word(&scope))
                    .bind(&name)
                    .fetch_optional(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
            let version = before.unwrap_or(0).saturating_add(1);
            let sealed = self.vault.seal(word(&scope), &name, version, value.expose())?;
            self.put_aside(&scope, &name, version).await?;
            let (account, smartbox, missing) = match &scope {
                Scope::Platform => (None, None, "platform"),
                Scope::Account(id) => (Some(id.as_str()), None, "account"),
                Scope::Smartbox(id) => (None, Some(id.as_str()), "smartbox"),
            };
            sqlx::query(
                "INSERT INTO secrets (scope, name, account, smartbox, version, data_key, sealed, updated)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (scope, name) DO UPDATE SET version = excluded.version,
                     data_key = excluded.data_key, sealed = excluded.sealed, updated = excluded.updated",
            )
            .bind(word(&scope))
            .bind(&name)
            .bind(account)
            .bind(smartbox)
            .bind(version)
            .bind(self.vault.data_id)
            .bind(sealed)
            .bind(self.vault.clock.now().0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, missing))?;
            revision(version)
        })
    }

    fn open(
        &mut self,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async move {
            let row: Option<(i64, i64, Vec<u8>)> = sqlx::query_as(
                "SELECT version, data_key, sealed FROM secrets WHERE scope = ? AND name = ?",
            )
            .bind(word(&scope))
            .bind(&name)
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let Some((version, key, sealed)) = row else { return Ok(None) };
            let place = Place { scope: word(&scope), name: &name, version, key };
            self.vault.unseal(&place, &sealed).map(Some)
        })
    }

    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<SecretInfo>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT name, scope, version, updated FROM secrets WHERE scope = ? ORDER BY name",
            )
            .bind(word(&scope))
            .try_map(|row| {
                Ok(SecretInfo {
                    name: row.try_get("name")?,
                    scope: row.try_get("scope")?,
                    updated: Timestamp(row.try_get("updated")?),
                    revision: decoded(
                        u64::try_from(row.try_get::<i64, _>("version")?).ok(),
                        "version",
                    )?,
                })
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn versions(
        &mut self,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Vec<SecretVersion>, StoreError>> {
        Box::pin(async move {
            let rows: Vec<(i64, i64, bool)> = sqlx::query_as(
                "SELECT version, updated, 1 FROM secrets WHERE scope = ?1 AND name = ?2
                 UNION ALL SELECT version, updated, 0 FROM secret_versions WHERE scope = ?1 AND name = ?2
                 ORDER BY version DESC",
            )
            .bind(word(&scope))
            .bind(&name)
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            rows.into_iter()
                .map(|(version, updated, current)| {
                    Ok(SecretVersion {
                        revision: revision(version)?,
                        updated: Timestamp(updated),
                        current,
                    })
                })
                .collect()
        })
    }

    fn roll_back(
        &mut self,
        scope: Scope,
        name: String,
        to: u64,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let missing = StoreError::Missing { what: "version of the secret" };
            let Ok(version) = i64::try_from(to) else { return Err(missing) };
            let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT data_key, sealed FROM secrets WHERE scope = ?1 AND name = ?2 AND version = ?3
                 UNION ALL SELECT data_key, sealed FROM secret_versions
                 WHERE scope = ?1 AND name = ?2 AND version = ?3",
            )
            .bind(word(&scope))
            .bind(&name)
            .bind(version)
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let Some((key, sealed)) = row else { return Err(missing) };
            let place = Place { scope: word(&scope), name: &name, version, key };
            let value = self.vault.unseal(&place, &sealed)?;
            self.set(scope, name, value).await
        })
    }

    fn remove(&mut self, scope: Scope, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM secrets WHERE scope = ? AND name = ?")
                .bind(word(&scope))
                .bind(name)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn sweep_releases(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM releases WHERE minute < ?")
                .bind(before.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected())
        })
    }
}

impl Records<'_> {
    /// Keeps the present value of a secret that is about to have another one.
    async fn put_aside(
        &mut self,
        scope: &Scope,
        name: &str,
        version: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO secret_versions (scope, name, version, data_key, sealed, updated)
             SELECT scope, name, version, data_key, sealed, updated FROM secrets
             WHERE scope = ? AND name = ?",
        )
        .bind(word(scope))
        .bind(name)
        .execute(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        sqlx::query("DELETE FROM secret_versions WHERE scope = ? AND name = ? AND version <= ?")
            .bind(word(scope))
            .bind(name)
            .bind(version.saturating_sub(i64::from(VERSIONS)))
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }
}

fn revision(version: i64) -> Result<u64, StoreError> {
    u64::try_from(version).map_err(|_| error::unreadable("version"))
}
