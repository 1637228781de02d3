//! An operator who acts for an account that is not theirs.

use http::request::Parts;
use smartbox_api::paths::ACCOUNT_HEADER;
use smartbox_api::problem::Code;

use super::Principal;
use crate::access::Caller;
use crate::app::App;
use crate::http::trouble::Trouble;

impl Principal {
    /// Whether they are somebody in particular who acts for an account by being an operator alone.
    pub(in crate::http) fn stands_in(&self) -> bool {
        self.visits && self.caller.person.is_some()
    }

    /// For whom they let something in: for themselves, or for an account that they only look after.
    pub(in crate::http) fn host(&self) -> Caller {
        let mut by = self.caller.clone();
        if self.visits {
            by.person = None;
        }
        by
    }

    /// The same person, acting for the account that the request names.
    pub(in crate::http) async fn acting(self, app: &App, parts: &Parts) -> Result<Self, Trouble> {
        let mut named = parts.headers.get_all(ACCOUNT_HEADER).iter();
        let (Some(value), second) = (named.next(), named.next()) else { return Ok(self) };
        let name = match (value.to_str(), second) {
            (Ok(name), None) => name,
            _ if self.operates() => {
                return Err(Trouble::new(Code::BadRequest, "the account is not understood", ""));
            }
            _ => "",
        };
        self.acting_for(app, name).await
    }

    /// The same operator, acting for the account with this name or id.
    pub(in crate::http) async fn acting_for(
        mut self,
        app: &App,
        account: &str,
    ) -> Result<Self, Trouble> {
        if !self.operates() {
            let detail = "only an operator acts for another account";
            let hint = "leave out `--account` and SMARTBOX_ACCOUNT: the token says whose it is";
            return Err(Trouble::new(Code::Forbidden, detail, hint));
        }
        let account = app.control.account(account).await?.id;
        self.visits |= account != self.caller.account;
        self.caller.account = account;
        self.caller.right = self.caller.operator;
        self.acting = true;
        Ok(self)
    }
}
