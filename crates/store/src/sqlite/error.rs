//! What SQLite's errors mean to the store's callers.

use smartbox_core::store::StoreError;

const FULL: i32 = 13;
/// Growing the file of the shared WAL index failed, which is what a full disk does to it.
const SHM_SIZE: i32 = 4874;

/// The error of a statement that may only fail for the database's own reasons.
pub(super) fn store(error: sqlx::Error) -> StoreError {
    match code(&error) {
        Some(FULL | SHM_SIZE) => StoreError::Full,
        _ => match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => {
                StoreError::Exists { what: taken(db.message()) }
            }
            _ => StoreError::Broken(Box::new(error)),
        },
    }
}

/// The same, for a statement that refers to a `what` which may be gone.
pub(super) fn referring(error: sqlx::Error, what: &'static str) -> StoreError {
    match &error {
        sqlx::Error::Database(db) if db.is_foreign_key_violation() => StoreError::Missing { what },
        _ => store(error),
    }
}

/// A number or word in a row that this program cannot have written.
pub(super) fn unreadable(column: &'static str) -> StoreError {
    StoreError::Broken(format!("the column {column} holds a value that is not one of ours").into())
}

/// The store was closed, or the process is ending.
pub(super) fn closed() -> StoreError {
    StoreError::Broken("the store is closed".into())
}

/// The same answer for another work of the same commit.
pub(super) fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Exists { what } => StoreError::Exists { what },
        StoreError::Missing { what } => StoreError::Missing { what },
        StoreError::Fenced => StoreError::Fenced,
        StoreError::Full => StoreError::Full,
        StoreError::Sealed => StoreError::Sealed,
        StoreError::Broken(source) => StoreError::Broken(source.to_string().into()),
    }
}

/// SQLite's extended result code.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// SQLite names the columns: `UNIQUE constraint failed: smartboxes.account, smartboxes.name`.
fn taken(message: &str) -> &'static str {
    let columns = message.rsplit(": ").next().unwrap_or_default();
    match columns.split('.').next().unwrap_or_default() {
        "smartboxes" if columns.contains("smartboxes.label") => "host label",
        "smartboxes" if columns.contains("smartboxes.slot") => "slot",
        "smartboxes" if columns == "smartboxes.account" => "PA",
        "smartboxes" => "smartbox",
        "accounts" => "account",
        "messages" => "message",
        "jobs" => "job",
        "issues" => "issue",
        "people" => "person",
        "identities" => "identity",
        "devices" => "device",
        "sessions" => "session",
        "tokens" => "token",
        "secrets" => "secret",
        _ => "record",
    }
}
