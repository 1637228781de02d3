//! People in SQLite, and who says who they are.

use smartbox_core::BoxFuture;
use smartbox_core::id::PersonId;
use smartbox_core::person::port::{Known, People};
use smartbox_core::person::{Person, Right};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded};

impl People for Records<'_> {
    fn add(&mut self, person: Person) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO people (id, name, email, operator, disabled, created)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(person.id.as_str())
            .bind(&person.name)
            .bind(&person.email)
            .bind(person.operator.map(Right::as_str))
            .bind(person.disabled)
            .bind(person.created.0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn put(&mut self, person: Person) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE people SET name = ?, email = ?, operator = ?, disabled = ? WHERE id = ?",
            )
            .bind(&person.name)
            .bind(&person.email)
            .bind(person.operator.map(Right::as_str))
            .bind(person.disabled)
            .bind(person.id.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "person" }),
                _ => Ok(()),
            }
        })
    }

    fn get(&mut self, id: PersonId) -> BoxFuture<'_, Result<Option<Person>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT * FROM people WHERE id = ?")
                .bind(id.as_str())
                .try_map(|row| person(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn known(
        &mut self,
        issuer: String,
        subject: String,
    ) -> BoxFuture<'_, Result<Option<Person>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT people.* FROM people JOIN identities ON identities.person = people.id
                 WHERE issuer = ? AND subject = ?",
            )
            .bind(issuer)
            .bind(subject)
            .try_map(|row| person(&row))
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn know(
        &mut self,
        issuer: String,
        subject: String,
        person: PersonId,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("INSERT INTO identities (issuer, subject, person) VALUES (?, ?, ?)")
                .bind(issuer)
                .bind(subject)
                .bind(person.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "person"))?;
            Ok(())
        })
    }

    fn addressed(&mut self, email: String) -> BoxFuture<'_, Result<Vec<Known>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT people.*, issuer FROM people LEFT JOIN identities ON person = people.id
                 WHERE email = ? ORDER BY created, id, issuer",
            )
            .bind(email)
            .try_map(|row: SqliteRow| {
                Ok((person(&row)?, row.try_get::<Option<String>, _>("issuer")?))
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let mut found: Vec<Known> = Vec::new();
            for (person, issuer) in rows {
                match found.last_mut() {
                    Some((last, issuers)) if last.id == person.id => issuers.extend(issuer),
                    _ => found.push((person, issuer.into_iter().collect())),
                }
            }
            Ok(found)
        })
    }

    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Person>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT * FROM people ORDER BY name, id")
                .try_map(|row| person(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn remove(&mut self, id: PersonId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM people WHERE id = ?")
                .bind(id.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }
}

pub(super) fn person(row: &SqliteRow) -> Result<Person, sqlx::Error> {
    Ok(Person {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "people.id")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        operator: match row.try_get::<Option<&str>, _>("operator")? {
            None => None,
            Some(word) => Some(decoded(Right::parse(word), "people.operator")?),
        },
        disabled: row.try_get("disabled")?,
        created: Timestamp(row.try_get("created")?),
    })
}
