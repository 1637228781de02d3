//! What somebody has open, and whether they still may.

use smartbox_control::{ControlError, Note};
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;

use super::Principal;
use crate::access::Caller;
use crate::app::App;
use crate::http::cut::Watch;
use crate::http::trouble::Trouble;

/// What hangs on it whether they still may.
#[derive(Debug, Clone)]
pub(in crate::http) struct Held {
    /// What the route needs.
    needs: Right,
    /// For which account an operator acts.
    acting: Option<AccountId>,
    /// The smartbox that it is about; known once it was found.
    found: Note,
}

impl Principal {
    /// How long a connection of theirs may be open; `None`: as long as they like.
    pub(in crate::http) fn watch(&self) -> Option<(Watch, Held)> {
        let acting = self.acting.then(|| self.caller.account.clone());
        let held = Held { needs: self.needs, acting, found: self.found.clone() };
        self.watch.clone().map(|watch| (watch, held))
    }

    /// Whether somebody, as the records have them now, may have open what they opened before.
    pub(in crate::http) async fn may_hold(
        app: &App,
        mut caller: Caller,
        held: &Held,
    ) -> Result<bool, Trouble> {
        if let Some(account) = &held.acting {
            caller.account.clone_from(account);
            caller.right = caller.operator;
        }
        let who =
            Self { acting: held.acting.is_some(), needs: held.needs, ..Self::of(caller.clone()) };
        if who.everywhere() {
            return Ok(true);
        }
        // What is shared with somebody is theirs by that box alone, and a member may be shut out of the
        // account and not of the box.
        let Some(id) = held.found.get() else {
            return Ok(caller.right.max(caller.operator).min(Some(caller.cap)) >= Some(held.needs));
        };
        match app.control.find(&who, id.as_str()).await {
            Ok(_) => Ok(true),
            Err(ControlError::Missing { .. } | ControlError::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
