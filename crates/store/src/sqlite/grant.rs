//! What people may, in SQLite.

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, PersonId, SmartboxId};
use smartbox_core::person::port::Grants;
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::store::StoreError;
use sqlx::Row;

use super::person::person;
use super::records::{Records, decoded};

impl Grants for Records<'_> {
    fn set_role(
        &mut self,
        account: AccountId,
        person: PersonId,
        role: Option<Role>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let query = match role {
                Some(role) => sqlx::query(
                    "INSERT INTO members (account, person, role) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET role = excluded.role",
                )
                .bind(account.as_str())
                .bind(person.as_str())
                .bind(role.as_str()),
                None => sqlx::query("DELETE FROM members WHERE account = ?1 AND person = ?2")
                    .bind(account.as_str())
                    .bind(person.as_str()),
            };
            let done = query.execute(self.conn()?).await;
            done.map_err(|e| self.failed_referring(e, "account or person"))?;
            Ok(())
        })
    }

    fn role(
        &mut self,
        account: AccountId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<Role>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT role FROM members WHERE account = ? AND person = ?")
                .bind(account.as_str())
                .bind(person.as_str())
                .try_map(|row| decoded(Role::parse(row.try_get("role")?), "members.role"))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn members(
        &mut self,
        account: AccountId,
    ) -> BoxFuture<'_, Result<Vec<(Person, Role)>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT people.*, role FROM members JOIN people ON people.id = members.person
                 WHERE account = ? ORDER BY people.name, people.id",
            )
            .bind(account.as_str())
            .try_map(|row| {
                let role = decoded(Role::parse(row.try_get("role")?), "members.role")?;
                Ok((person(&row)?, role))
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn accounts(
        &mut self,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Vec<(AccountId, Role)>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT accounts.id, role FROM members JOIN accounts ON accounts.id = account
                 WHERE person = ? AND buried IS NULL ORDER BY accounts.name",
            )
            .bind(person.as_str())
            .try_map(|row| {
                let account = decoded(row.try_get::<&str, _>("id")?.parse().ok(), "accounts.id")?;
                Ok((account, decoded(Role::parse(row.try_get("role")?), "members.role")?))
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn set_share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
        right: Option<Right>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let query = match right {
                Some(right) => sqlx::query(
                    "INSERT INTO shares (smartbox, person, grade) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET grade = excluded.grade",
                )
                .bind(smartbox.as_str())
                .bind(person.as_str())
                .bind(right.min(Right::Manage).as_str()),
                None => sqlx::query("DELETE FROM shares WHERE smartbox = ?1 AND person = ?2")
                    .bind(smartbox.as_str())
                    .bind(person.as_str()),
            };
            let done = query.execute(self.conn()?).await;
            done.map_err(|e| self.failed_referring(e, "smartbox or person"))?;
            Ok(())
        })
    }

    fn share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<Right>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT grade FROM shares WHERE smartbox = ? AND person = ?")
                .bind(smartbox.as_str())
                .bind(person.as_str())
                .try_map(|row| decoded(Right::parse(row.try_get("grade")?), "shares.grade"))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn shares(
        &mut self,
        smartbox: SmartboxId,
    ) -> BoxFuture<'_, Result<Vec<(Person, Right)>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT people.*, grade FROM shares JOIN people ON people.id = shares.person
                 WHERE smartbox = ? ORDER BY people.name, people.id",
            )
            .bind(smartbox.as_str())
            .try_map(|row| {
                let right = decoded(Right::parse(row.try_get("grade")?), "shares.grade")?;
                Ok((person(&row)?, right))
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn shared(
        &mut self,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Vec<(SmartboxId, Right)>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT smartbox, grade FROM shares WHERE person = ? ORDER BY smartbox")
                .bind(person.as_str())
                .try_map(|row| {
                    let id = row.try_get::<&str, _>("smartbox")?.parse().ok();
                    let right = decoded(Right::parse(row.try_get("grade")?), "shares.grade")?;
                    Ok((decoded(id, "shares.smartbox")?, right))
                })
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }
}
