//! The records as one unit of work sees them: a copy of the tables.

use ed25519_dalek::SigningKey;
use smartbox_core::BoxFuture;
use smartbox_core::account::port::Accounts;
use smartbox_core::audit::port::Audit;
use smartbox_core::config::port::Revisions;
use smartbox_core::device::port::Devices;
use smartbox_core::egress::port::{Bindings, EgressRules, EgressUses};
use smartbox_core::id::{AccountId, SmartboxId};
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
use smartbox_core::time::Timestamp;
use smartbox_core::token::port::Tokens;
use smartbox_core::usage::port::Ledger;

use super::state::State;

/// A work over the records themselves.
pub(super) type Job = Box<
    dyn for<'t, 'c> FnOnce(&'t mut Records<'c>) -> BoxFuture<'t, Result<(), StoreError>> + Send,
>;

/// Every per-noun port over one copy.
pub(super) struct Records<'c> {
    pub(super) state: State,
    pub(super) signer: &'c SigningKey,
    pub(super) now: Timestamp,
    read_only: bool,
    spoilt: bool,
}

impl<'c> Records<'c> {
    pub(super) fn new(
        state: State,
        signer: &'c SigningKey,
        now: Timestamp,
        read_only: bool,
    ) -> Self {
        Self { state, signer, now, read_only, spoilt: false }
    }

    /// The tables, to be changed; refused in a read, which then fails whatever it makes of it.
    pub(super) fn change(&mut self) -> Result<&mut State, StoreError> {
        if self.read_only {
            self.spoilt = true;
            return Err(read_only());
        }
        Ok(&mut self.state)
    }

    pub(super) fn check_unspoilt(&self) -> Result<(), StoreError> {
        if self.spoilt { Err(read_only()) } else { Ok(()) }
    }

    pub(super) fn into_state(self) -> State {
        self.state
    }

    pub(super) fn need_account(
        &self,
        id: &AccountId,
        what: &'static str,
    ) -> Result<(), StoreError> {
        match self.state.accounts.contains_key(id) {
            true => Ok(()),
            false => Err(StoreError::Missing { what }),
        }
    }

    pub(super) fn need_box(&self, id: &SmartboxId, what: &'static str) -> Result<(), StoreError> {
        match self.state.boxes.contains_key(id) {
            true => Ok(()),
            false => Err(StoreError::Missing { what }),
        }
    }
}

fn read_only() -> StoreError {
    StoreError::Broken("a read may not change anything".into())
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
