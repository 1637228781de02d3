//! Messages in SQLite, in the order in which they were accepted.

use smartbox_core::BoxFuture;
use smartbox_core::id::{MessageId, SmartboxId};
use smartbox_core::message::port::Messages;
use smartbox_core::message::{Delivery, Message};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite};

use super::records::{Records, decoded};

/// The columns in the order of [`bind`].
macro_rules! columns {
    () => {
        "id, smartbox, session, channel, text, state, reply, error, attempts, created, finished"
    };
}

const INSERT: &str =
    concat!("INSERT INTO messages (", columns!(), ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
// Numbered throughout: sqlx does not count a mix of `?` and `?1` as SQLite does.
const UPDATE: &str = concat!(
    "UPDATE messages SET (",
    columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) WHERE id = ?1"
);

impl Messages for Records<'_> {
    fn add(&mut self, message: Message) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            bind(INSERT, &message)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "smartbox"))?;
            Ok(())
        })
    }

    fn get(&mut self, id: MessageId) -> BoxFuture<'_, Result<Option<Message>, StoreError>> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM messages WHERE id = ?");
        Box::pin(async move {
            sqlx::query(SQL)
                .bind(id.as_str())
                .try_map(|row| message(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put(&mut self, message: Message) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let done = bind(UPDATE, &message)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "smartbox"))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "message" }),
                _ => Ok(()),
            }
        })
    }

    fn open(&mut self, id: Option<SmartboxId>) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        const ALL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM messages WHERE state IN ('queued', 'handed') ORDER BY seq"
        );
        const OF_ONE: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM messages WHERE state IN ('queued', 'handed') AND smartbox = ? ORDER BY seq"
        );
        Box::pin(async move {
            let query = match id {
                None => sqlx::query(ALL),
                Some(id) => sqlx::query(OF_ONE).bind(String::from(id)),
            };
            query
                .try_map(|row| message(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn page(
        &mut self,
        id: SmartboxId,
        before: Option<MessageId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM messages WHERE smartbox = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
        );
        Box::pin(async move {
            let before: i64 = match before {
                None => i64::MAX,
                Some(message) => {
                    sqlx::query_scalar("SELECT seq FROM messages WHERE id = ? AND smartbox = ?")
                        .bind(message.as_str())
                        .bind(id.as_str())
                        .fetch_optional(self.conn()?)
                        .await
                        .map_err(|e| self.failed(e))?
                        .ok_or(StoreError::Missing { what: "message" })?
                }
            };
            sqlx::query(SQL)
                .bind(id.as_str())
                .bind(before)
                .bind(limit)
                .try_map(|row| message(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn recent(
        &mut self,
        id: SmartboxId,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Message>, StoreError>> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM messages WHERE smartbox = ? ORDER BY seq DESC LIMIT ?"
        );
        Box::pin(async move {
            let mut newest = sqlx::query(SQL)
                .bind(id.as_str())
                .bind(limit)
                .try_map(|row| message(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            newest.reverse();
            Ok(newest)
        })
    }
}

fn bind<'q>(sql: &'static str, message: &'q Message) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(sql)
        .bind(message.id.as_str())
        .bind(message.smartbox.as_str())
        .bind(&message.session)
        .bind(&message.channel)
        .bind(&message.text)
        .bind(message.state.as_str())
        .bind(message.reply.as_deref())
        .bind(message.error.as_deref())
        .bind(message.attempts)
        .bind(message.created.0)
        .bind(message.finished.map(|at| at.0))
}

fn message(row: &SqliteRow) -> Result<Message, sqlx::Error> {
    let text = |column| row.try_get::<&str, _>(column);
    Ok(Message {
        id: decoded(text("id")?.parse().ok(), "id")?,
        smartbox: decoded(text("smartbox")?.parse().ok(), "smartbox")?,
        session: row.try_get("session")?,
        channel: row.try_get("channel")?,
        text: row.try_get("text")?,
        state: decoded(Delivery::parse(text("state")?), "state")?,
        reply: row.try_get("reply")?,
        error: row.try_get("error")?,
        attempts: row.try_get("attempts")?,
        created: Timestamp(row.try_get("created")?),
        finished: row.try_get::<Option<i64>, _>("finished")?.map(Timestamp),
    })
}
