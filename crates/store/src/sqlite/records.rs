//! The records as one unit of work sees them: a connection within a transaction.

use smartbox_core::account::port::Accounts;
use smartbox_core::audit::port::Audit;
use smartbox_core::config::port::Revisions;
use smartbox_core::device::port::Devices;
use smartbox_core::egress::port::{Bindings, EgressRules, EgressUses};
use smartbox_core::issue::port::Issues;
use smartbox_core::job::port::Jobs;
use smartbox_core::journal::port::Journal;
use smartbox_core::message::port::Messages;
use smartbox_core::person::port::{Grants, People};
use smartbox_core::reply::port::Replies;
use smartbox_core::secret::port::Secrets;
use smartbox_core::session::port::Sessions;
use smartbox_core::smartbox::port::Boxes;
use smartbox_core::snapshot::record::Archives;
use smartbox_core::store::{Doings, Holdings, StoreError, Visitors};
use smartbox_core::token::port::Tokens;
use smartbox_core::usage::port::Ledger;
use sqlx::SqliteConnection;

use super::error;
use super::vault::Vault;

/// Every per-noun port over one connection.
pub(super) struct Records<'c> {
    conn: &'c mut SqliteConnection,
    pub(super) vault: &'c Vault,
    spoilt: Option<StoreError>,
}

impl<'c> Records<'c> {
    pub(super) fn new(conn: &'c mut SqliteConnection, vault: &'c Vault) -> Self {
        Self { conn, vault, spoilt: None }
    }

    /// The connection; refused once a statement failed for the database's own reasons. SQLite may
    /// have rolled back the transaction then, and the next statement would stand by itself.
    pub(super) fn conn(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match &self.spoilt {
            Some(error) => Err(error::again(error)),
            None => Ok(&mut *self.conn),
        }
    }

    /// What a failed statement means; remembered if the work must fail whatever it makes of it.
    pub(super) fn failed(&mut self, error: sqlx::Error) -> StoreError {
        self.note(error::store(error))
    }

    /// The same for a statement that refers to a `what` which may be gone.
    pub(super) fn failed_referring(
        &mut self,
        error: sqlx::Error,
        what: &'static str,
    ) -> StoreError {
        self.note(error::referring(error, what))
    }

    fn note(&mut self, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::Exists { .. } | StoreError::Missing { .. }) {
            self.spoilt = Some(error::again(&error));
        }
        error
    }

    /// Why the work must fail, if a statement failed for the database's own reasons.
    pub(super) fn spoilt(self) -> Option<StoreError> {
        self.spoilt
    }
}

impl Holdings for Records<'_> {
    fn accounts(&mut self) -> &mut dyn Accounts {
        self
    }
    fn bindings(&mut self) -> &mut dyn Bindings {
        self
    }
    fn boxes(&mut self) -> &mut dyn Boxes {
        self
    }
    fn egress_rules(&mut self) -> &mut dyn EgressRules {
        self
    }
    fn messages(&mut self) -> &mut dyn Messages {
        self
    }
    fn revisions(&mut self) -> &mut dyn Revisions {
        self
    }
    fn secrets(&mut self) -> &mut dyn Secrets {
        self
    }
}

impl Visitors for Records<'_> {
    fn devices(&mut self) -> &mut dyn Devices {
        self
    }
    fn grants(&mut self) -> &mut dyn Grants {
        self
    }
    fn people(&mut self) -> &mut dyn People {
        self
    }
    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }
    fn tokens(&mut self) -> &mut dyn Tokens {
        self
    }
}

impl Doings for Records<'_> {
    fn archives(&mut self) -> &mut dyn Archives {
        self
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self
    }
    fn egress_uses(&mut self) -> &mut dyn EgressUses {
        self
    }
    fn issues(&mut self) -> &mut dyn Issues {
        self
    }
    fn journal(&mut self) -> &mut dyn Journal {
        self
    }
    fn usage(&mut self) -> &mut dyn Ledger {
        self
    }
    fn jobs(&mut self) -> &mut dyn Jobs {
        self
    }
    fn replies(&mut self) -> &mut dyn Replies {
        self
    }
}

/// A count of ours as SQLite keeps it.
pub(super) fn signed(count: u64, column: &'static str) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| error::unreadable(column))
}

/// A word or number of a row, read into one of ours.
pub(super) fn decoded<T>(value: Option<T>, column: &'static str) -> Result<T, sqlx::Error> {
    value.ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "not a value of ours".into(),
    })
}

/// A value of ours as it stands in a row.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Broken(error.into()))
}
