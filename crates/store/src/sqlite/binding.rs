//! How secrets are used by placeholder, in SQLite.

use smartbox_core::BoxFuture;
use smartbox_core::egress::port::Bindings;
use smartbox_core::egress::{Bound, Held, Placeholder, Shape};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Scope;
use smartbox_core::store::StoreError;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded, json};
use crate::release::word;

impl Bindings for Records<'_> {
    fn set(
        &mut self,
        scope: Scope,
        name: String,
        bound: Bound,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO secret_bindings (scope, name, shape, bindings) VALUES (?, ?, ?, ?)
                 ON CONFLICT (scope, name) DO UPDATE SET
                     shape = excluded.shape, bindings = excluded.bindings",
            )
            .bind(word(&scope))
            .bind(name)
            .bind(String::from(bound.shape))
            .bind(json(&bound.bindings)?)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "secret"))?;
            Ok(())
        })
    }

    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<(String, Bound)>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT name, shape, bindings FROM secret_bindings WHERE scope = ? ORDER BY name",
            )
            .bind(word(&scope))
            .try_map(|row| {
                let bindings = serde_json::from_str(row.try_get("bindings")?);
                let bindings = decoded(bindings.ok(), "bindings")?;
                Ok((row.try_get("name")?, Bound { shape: shape(&row)?, bindings }))
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn remove(&mut self, scope: Scope, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM secret_bindings WHERE scope = ? AND name = ?")
                .bind(word(&scope))
                .bind(name)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn hold(
        &mut self,
        id: SmartboxId,
        held: Held,
        shape: Shape,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO placeholders (smartbox, name, shape, placeholder) VALUES (?, ?, ?, ?)
                 ON CONFLICT (smartbox, name) DO UPDATE SET
                     shape = excluded.shape, placeholder = excluded.placeholder",
            )
            .bind(id.as_str())
            .bind(held.secret)
            .bind(String::from(shape))
            .bind(held.placeholder.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "smartbox"))?;
            Ok(())
        })
    }

    fn held(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Vec<(Held, Shape)>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT name, shape, placeholder FROM placeholders
                 WHERE smartbox = ? ORDER BY name",
            )
            .bind(id.as_str())
            .try_map(|row| {
                let placeholder = Placeholder::kept(row.try_get("placeholder")?);
                Ok((Held { placeholder, secret: row.try_get("name")? }, shape(&row)?))
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }
}

fn shape(row: &SqliteRow) -> Result<Shape, sqlx::Error> {
    decoded(Shape::parse(row.try_get("shape")?).ok(), "shape")
}
