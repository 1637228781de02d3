//! What they may: with an account, with a box, with the installation.

use smartbox_api::problem::Code;
use smartbox_control::{ControlError, Reach};
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::person::Right;

use super::Principal;
use crate::app::App;
use crate::http::trouble::Trouble;

impl Principal {
    /// The account that they act for, for something that is all of it, or none of its smartboxes.
    pub(in crate::http) fn account(&self) -> Result<&AccountId, Trouble> {
        if self.caller.only.is_some() {
            let hint = "use a token of the account: `smartbox token create`";
            return Err(Trouble::new(Code::Forbidden, "this token is for one smartbox", hint));
        }
        match self.caller.right {
            Some(right) if right >= self.needs => Ok(&self.caller.account),
            _ => Err(Trouble::less(self.needs)),
        }
    }

    /// How much they may at the most, whatever it is done to. An operator who only looks still owns what is
    /// theirs.
    pub(in crate::http) fn most(&self) -> Right {
        let own = match self.caller.person {
            Some(_) => Some(Right::Own),
            None => self.caller.right,
        };
        own.max(self.caller.operator).unwrap_or(Right::Read).min(self.caller.cap)
    }

    /// Whether they may so much with everything in the installation, and that for themselves: what an operator
    /// who is somebody in particular does with it they do as long as they are one.
    pub(in crate::http) fn gives_everywhere(&self, right: Right) -> bool {
        self.caller.person.is_none() && !self.acting && self.caller.operator >= Some(right)
    }

    /// Whether they run the installation, as far as the route needs. Beyond that they are who they are
    /// besides: an owner who looks at everything still owns what is theirs.
    pub(in crate::http) fn operates(&self) -> bool {
        self.caller.operator >= Some(self.needs)
    }

    /// Whether they run all of the installation, whatever the route needs.
    pub(in crate::http) fn runs(&self) -> bool {
        self.caller.operator >= Some(Right::Own)
    }

    /// Whether they see every account: an operator who named none.
    pub(in crate::http) fn everywhere(&self) -> bool {
        self.operates() && !self.acting
    }

    /// Whether something is within reach that hangs on a box, or else on the whole of an account.
    pub(in crate::http) async fn reaches(
        &self,
        app: &App,
        account: &AccountId,
        smartbox: Option<&SmartboxId>,
    ) -> Result<bool, Trouble> {
        if self.everywhere() {
            return Ok(true);
        }
        let home = account == self.home();
        // What was done to a box that is gone is the account's to know, too.
        if home && self.account().is_ok() {
            return Ok(true);
        }
        if let Some(id) = smartbox {
            match app.control.find(self, id.as_str()).await {
                Ok(_) => return Ok(true),
                Err(ControlError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Whoever has nothing of the account is not told what there is in it.
        if home && self.caller.only.is_none() && self.caller.right.is_some() {
            return self.account().map(|_| true);
        }
        Ok(false)
    }

    /// Looks at what the route needs, as far as that can be said before anything is looked for.
    pub(in crate::http) fn needing(mut self, needs: Right) -> Result<Self, Trouble> {
        self.needs = needs;
        let own = match self.caller.person {
            // By what is shared with them, people may more with a box than with its account.
            Some(_) => self.caller.cap,
            None => self.caller.right.unwrap_or(Right::Read),
        };
        let may = self.caller.operator.map_or(own, |operator| operator.max(own));
        if may < needs { Err(Trouble::less(needs)) } else { Ok(self) }
    }

    /// Looks whether they run as much of the installation as the route needs.
    pub(in crate::http) fn operating(mut self, needs: Right) -> Result<Self, Trouble> {
        self.needs = needs;
        match self.caller.operator {
            Some(right) if right >= needs => Ok(self),
            Some(_) => Err(Trouble::less(needs)),
            None => Err(Trouble::new(
                Code::Forbidden,
                "this is for operators",
                "use the command line on the platform's own machine, the master token, or an operator's key",
            )),
        }
    }

    /// Whether they may this with all of the account that they act for.
    pub(in crate::http) fn may(&self, right: Right) -> bool {
        self.caller.only.is_none() && self.caller.right >= Some(right)
    }
}

impl From<&Principal> for Reach {
    fn from(who: &Principal) -> Self {
        Self {
            account: who.caller.account.clone(),
            right: who.caller.right,
            person: who.caller.person.clone(),
            only: who.caller.only.clone(),
            most: who.caller.cap,
            everywhere: who.everywhere(),
            needs: who.needs,
            found: who.found.clone(),
        }
    }
}
