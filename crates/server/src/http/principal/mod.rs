//! Who acts: the local command line, a bearer of a token, or a browser's session; for whom, and what
//! they may. What is a whole account's is reached by [`Principal::account`], what is a box's by the
//! [`Reach`](smartbox_control::Reach) of the one who asks: both know what the route needs, and neither can
//! be gone around.

mod acting;
mod browser;
mod find;
mod held;
mod peer;
mod proof;
mod right;
mod tell;

use axum::extract::FromRequestParts;
use http::request::Parts;
use sha2::{Digest, Sha256};
use smartbox_control::{Actor, Note};
use smartbox_core::audit;
use smartbox_core::device::DeviceId;
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;

use super::cut::Watch;
use super::trouble::Trouble;
use crate::access::Caller;

pub(super) use browser::Browser;
pub(super) use find::{ADMIN_SECRET, admin, come, find, tries};
pub(super) use held::Held;
pub use peer::Peer;
pub(super) use peer::{address, comes_from_here};
pub(super) use proof::{fitting, proven, shows};
pub(super) use tell::{tell, whose};

/// Who acts, for which account, and what that takes.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    caller: Caller,
    /// For the audit.
    pub(super) actor: Actor,
    /// By a cookie, which a browser sends whoever made it ask.
    pub(super) by_cookie: bool,
    /// An operator who said for which account: what he names is looked for there alone.
    acting: bool,
    /// That account is not the one that he is in.
    visits: bool,
    /// What the route needs.
    needs: Right,
    /// The browser that they come by, if by one that has a session.
    browser: Option<Browser>,
    /// By what it is known whether they may still, while a connection is open.
    watch: Option<Watch>,
    /// The smartbox that they asked for.
    found: Note,
}

impl Principal {
    fn of(caller: Caller) -> Self {
        let actor = Actor(caller.actor.clone());
        Self {
            caller,
            actor,
            by_cookie: false,
            acting: false,
            visits: false,
            needs: Right::Read,
            browser: None,
            watch: None,
            found: Note::default(),
        }
    }

    fn watched(self, watch: Watch) -> Self {
        Self { watch: Some(watch), ..self }
    }

    /// The same, as the audit has them who come by the network.
    fn from(mut self, parts: &Parts) -> Self {
        self.caller.actor = audit::by(&self.caller.actor, address(parts));
        self.actor = Actor(self.caller.actor.clone());
        self
    }

    /// The account whose names they mean; says nothing of what they may there.
    pub(super) fn home(&self) -> &AccountId {
        &self.caller.account
    }

    /// Who they are, wherever they come from: whoever has a network has as many addresses as they like.
    pub(super) fn name(&self) -> &str {
        audit::who(&self.caller.actor).0
    }

    /// The device that they are, by its own token; of what it made, which it may have given away, none.
    pub(super) fn device(&self) -> Option<&DeviceId> {
        let root = &self.caller.root;
        root.device.as_ref().filter(|_| root.session.is_none() && root.token.is_none())
    }

    /// Whom they stand for, for what they begin.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A key under which they did something. What others of the account did is not theirs to see again.
    pub(super) fn keyed(&self, key: String) -> String {
        match &self.caller {
            Caller { person: None, only: None, cap: Right::Own, .. } => key,
            // Whoever asks again may come from elsewhere.
            _ => hex::encode(Sha256::digest(format!("{}\n{key}", self.name()))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        // Put there by the guard; a public route has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(Trouble::unauthenticated)
    }
}
