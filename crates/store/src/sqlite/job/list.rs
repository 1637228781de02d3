//! Which jobs there are.

use smartbox_core::job::Job;
use smartbox_core::job::port::Filter;
use smartbox_core::store::StoreError;
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite};

use super::super::records::Records;
use super::row::{COLUMNS, job};

impl Records<'_> {
    pub(super) async fn open_jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE state IN ('queued', 'running', 'paused') ORDER BY seq"
        );
        sqlx::query(AssertSqlSafe(sql))
            .try_map(|row| job(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
    }

    pub(super) async fn list_jobs(&mut self, filter: Filter) -> Result<Vec<Job>, StoreError> {
        let mut query = narrowed(&filter);
        query
            .build()
            .try_map(|row| job(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
    }
}

/// Only what is asked for stands in the statement, so that SQLite finds the right index.
fn narrowed(filter: &Filter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM jobs WHERE 1"));
    let texts = [
        (" AND account = ", filter.account.as_ref().map(|id| id.as_str())),
        (" AND smartbox = ", filter.smartbox.as_ref().map(|id| id.as_str())),
        (" AND kind = ", filter.kind.as_deref()),
        (" AND key = ", filter.key.as_deref()),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            query.push(condition).push_bind(value.to_owned());
        }
    }
    if !filter.states.is_empty() {
        query.push(" AND state IN (");
        let mut words = query.separated(", ");
        for state in &filter.states {
            words.push_bind(state.as_str());
        }
        query.push(")");
    }
    if let Some(at) = filter.expired {
        query.push(" AND expires <= ").push_bind(at.0);
    }
    if let Some((created, id)) = &filter.before {
        query.push(" AND (created, id) < (").push_bind(created.0);
        query.push(", ").push_bind(id.to_string()).push(")");
    }
    query.push(" ORDER BY created DESC, id DESC LIMIT ").push_bind(filter.limit);
    query
}
