//! All tables. A copy is cheap: a table is copied only when it is changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use smartbox_core::account::Account;
use smartbox_core::audit::Entry;
use smartbox_core::device::{Device, DeviceId};
use smartbox_core::egress;
use smartbox_core::id::{AccountId, JobId, MessageId, PersonId, SmartboxId};
use smartbox_core::issue::Issue;
use smartbox_core::journal;
use smartbox_core::message::Message;
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::reply::Asked;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::session::{Root, Session};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::time::Timestamp;
use smartbox_core::token::Token;
use smartbox_core::usage::Usage;

use super::archive;
use super::job::KeptJob;
use super::reply::Taken;
use super::revision;
use crate::chain::Head;

/// A secret's value, when it was set, and where it may go.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) value: Arc<Secret<String>>,
    pub(super) updated: Timestamp,
    pub(super) revision: u64,
    /// Values before, with their revision and time, the oldest first.
    pub(super) older: Vec<(u64, Timestamp, Arc<Secret<String>>)>,
    /// How it is used by placeholder.
    pub(super) bound: Option<egress::Bound>,
}

/// One account's chain.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) entries: Vec<Entry>,
    pub(super) head: Head,
}

/// Account, minute, box, name and scope: what releases are counted by.
pub(super) type ReleaseKey = (AccountId, Timestamp, SmartboxId, String, String);

/// Box, day, host and port: what uses are counted by.
pub(super) type UseKey = (SmartboxId, Timestamp, String, u16);

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) accounts: Arc<BTreeMap<AccountId, Account>>,
    /// Accounts that are gone; their chains stay.
    pub(super) buried: Arc<BTreeSet<AccountId>>,
    pub(super) boxes: Arc<BTreeMap<SmartboxId, Smartbox>>,
    /// Also of boxes that are gone.
    pub(super) archives: Arc<BTreeMap<SmartboxId, archive::Kept>>,
    /// Messages by the order in which they were accepted; `places` finds them.
    pub(super) messages: Arc<BTreeMap<u64, Message>>,
    pub(super) places: Arc<HashMap<MessageId, u64>>,
    pub(super) accepted: u64,
    /// Of each box, oldest first.
    pub(super) revisions: Arc<HashMap<SmartboxId, Vec<revision::Kept>>>,
    pub(super) egress_rules: Arc<Vec<egress::Kept>>,
    /// By box, day, host and port.
    pub(super) egress_uses: Arc<BTreeMap<UseKey, egress::Use>>,
    /// By box, and by the name of the secret.
    pub(super) placeholders: Arc<BTreeMap<(SmartboxId, String), (egress::Held, egress::Shape)>>,
    pub(super) secrets: Arc<HashMap<Scope, BTreeMap<String, Kept>>>,
    pub(super) releases: Arc<BTreeMap<ReleaseKey, u64>>,
    pub(super) people: Arc<BTreeMap<PersonId, Person>>,
    /// By issuer and subject.
    pub(super) identities: Arc<BTreeMap<(String, String), PersonId>>,
    pub(super) members: Arc<BTreeMap<(AccountId, PersonId), Role>>,
    pub(super) shares: Arc<BTreeMap<(SmartboxId, PersonId), Right>>,
    pub(super) devices: Arc<BTreeMap<DeviceId, Device>>,
    pub(super) sessions: Arc<HashMap<String, Session>>,
    pub(super) tokens: Arc<HashMap<String, Token>>,
    pub(super) chains: Arc<HashMap<AccountId, Chain>>,
    pub(super) usage: Arc<Vec<Usage>>,
    pub(super) jobs: Arc<BTreeMap<JobId, KeptJob>>,
    pub(super) jobs_added: u64,
    pub(super) replies: Arc<BTreeMap<Asked, Taken>>,
    /// In the order in which they were opened.
    pub(super) issues: Arc<Vec<Issue>>,
    pub(super) journals: Arc<HashMap<SmartboxId, Vec<(u64, journal::Entry)>>>,
    /// The place of the last entry of any journal.
    pub(super) noted: u64,
}

impl State {
    /// Ends the sessions, tokens and devices that hang on what is gone.
    pub(super) fn uproot(&mut self) {
        loop {
            let sessions: BTreeSet<_> = self.sessions.values().map(|s| s.id.clone()).collect();
            let tokens: BTreeSet<_> = self.tokens.values().map(|t| t.id.clone()).collect();
            let devices: BTreeSet<_> = self.devices.keys().cloned().collect();
            let stands = |root: &Root| {
                root.session.as_ref().is_none_or(|id| sessions.contains(id))
                    && root.token.as_ref().is_none_or(|id| tokens.contains(id))
                    && root.device.as_ref().is_none_or(|id| devices.contains(id))
            };
            let before = sessions.len() + tokens.len() + devices.len();
            Arc::make_mut(&mut self.sessions).retain(|_, session| stands(&session.root));
            Arc::make_mut(&mut self.tokens).retain(|_, token| stands(&token.root));
            Arc::make_mut(&mut self.devices).retain(|_, device| stands(&device.root));
            if self.sessions.len() + self.tokens.len() + self.devices.len() == before {
                return;
            }
        }
    }

    /// Removes a box and what hangs on it.
    pub(super) fn remove_box(&mut self, id: &SmartboxId) {
        if Arc::make_mut(&mut self.boxes).remove(id).is_none() {
            return;
        }
        Arc::make_mut(&mut self.messages).retain(|_, m| m.smartbox != *id);
        let messages = &self.messages;
        Arc::make_mut(&mut self.places).retain(|_, place| messages.contains_key(place));
        Arc::make_mut(&mut self.revisions).remove(id);
        let rules = egress::Scope::Smartbox(id.clone());
        Arc::make_mut(&mut self.egress_rules).retain(|kept| kept.scope != rules);
        Arc::make_mut(&mut self.egress_uses).retain(|(smartbox, ..), _| smartbox != id);
        Arc::make_mut(&mut self.placeholders).retain(|(smartbox, _), _| smartbox != id);
        Arc::make_mut(&mut self.secrets).remove(&Scope::Smartbox(id.clone()));
        Arc::make_mut(&mut self.shares).retain(|(smartbox, _), _| smartbox != id);
        Arc::make_mut(&mut self.devices).retain(|_, d| d.smartbox.as_ref() != Some(id));
        Arc::make_mut(&mut self.sessions).retain(|_, s| s.smartbox.as_ref() != Some(id));
        Arc::make_mut(&mut self.tokens).retain(|_, t| t.smartbox.as_ref() != Some(id));
        self.uproot();
        Arc::make_mut(&mut self.usage).retain(|u| u.smartbox != *id);
        Arc::make_mut(&mut self.jobs).retain(|_, kept| kept.job.smartbox.as_ref() != Some(id));
        Arc::make_mut(&mut self.journals).remove(id);
        Arc::make_mut(&mut self.issues).retain(|i| i.smartbox.as_ref() != Some(id));
    }
}
