//! What a session or a token lets its bearer do, as the records say it now.

use smartbox_core::device::{Device, Kind};
use smartbox_core::id::{AccountId, PersonId, SmartboxId};
use smartbox_core::person::{Right, Role};
use smartbox_core::session::{Root, Session};
use smartbox_core::store::{StoreError, Tx};
use smartbox_core::time::Timestamp;

use super::admitted;

/// Whom something that signs in stands for, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the audit.
    pub actor: String,
    /// The account that they act for.
    pub account: AccountId,
    /// Who they are, if somebody in particular.
    pub person: Option<PersonId>,
    /// What they may with everything in the account; nothing but what is shared with them, if `None`.
    pub right: Option<Right>,
    /// They reach this box and nothing else.
    pub only: Option<SmartboxId>,
    /// They run the installation, and how much of it.
    pub operator: Option<Right>,
    /// How much what they signed in by may at the most, whatever they may besides.
    pub cap: Right,
    /// What they signed in by, which what they begin hangs on.
    pub root: Root,
    /// What they came by lets their browser in, too: a link of `up`, or an invitation.
    pub welcome: bool,
    /// When the word ends that was given for them, if they came by nothing but that.
    pub until: Option<Timestamp>,
}

impl Caller {
    /// Who may everything in an account, by something that is nobody's in particular.
    pub fn owner(account: AccountId, actor: String) -> Self {
        Self {
            actor,
            account,
            person: None,
            right: Some(Right::Own),
            only: None,
            operator: None,
            cap: Right::Own,
            root: Root::default(),
            welcome: false,
            until: None,
        }
    }

    /// Who runs the installation.
    pub fn operator(account: AccountId, actor: String) -> Self {
        Self { operator: Some(Right::Own), ..Self::owner(account, actor) }
    }
}

/// How far a browser is that has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is in.
    In,
    /// It has a key, and has not shown it for a while.
    Unproven,
    /// Nobody has let it in: it reaches nothing.
    Waits,
}

/// A session, and what it lets one do: with the box on whose origin it is, or else with the account.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The session.
    pub session: Session,
    /// What the person is called; `owner` if it is nobody in particular.
    pub name: String,
    /// What they may; `None`: nothing but what is shared with them.
    pub right: Option<Right>,
    /// How much they may at the most: by the session, and by what the browser was given.
    pub most: Right,
    /// They run the installation, and how much of it.
    pub operator: Option<Right>,
    /// The device that the session hangs on.
    pub device: Option<Device>,
}

impl Seat {
    /// What the session says now; `None` if it lets nobody in any more.
    pub(super) async fn of(tx: &mut dyn Tx, session: Session) -> Result<Option<Self>, StoreError> {
        if !admitted(tx, &session.account).await? {
            return Ok(None);
        }
        let Standing { name, right, operator } =
            match standing(tx, &session.account, session.person.as_ref()).await? {
                Some(standing) => standing,
                None => return Ok(None),
            };
        let device = match session.root.device.clone() {
            Some(id) => tx.devices().get(id).await?,
            None => None,
        };
        let most = match device.as_ref().and_then(|device| device.granted) {
            Some(granted) => session.right.min(granted),
            None => session.right,
        };
        let Some(id) = session.smartbox.clone() else {
            let right = right.map(|right| right.min(most));
            let operator = operator.map(|right| right.min(most));
            return Ok(Some(Self { session, name, right, most, operator, device }));
        };
        let leads_here = |device: &Device| {
            device.is_let_in() && device.smartbox.as_ref().is_none_or(|only| *only == id)
        };
        if !device.as_ref().is_none_or(leads_here) {
            return Ok(None);
        }
        let Some(row) = tx.boxes().get(id.clone()).await? else { return Ok(None) };
        if !admitted(tx, &row.account).await? {
            return Ok(None);
        }
        // A session of someone who no longer owns the box is none.
        let own = right.filter(|_| row.account == session.account);
        let shared = match &session.person {
            Some(person) => tx.grants().share(id, person.clone()).await?,
            None => None,
        };
        let right = own.max(shared).map(|right| right.min(most));
        Ok(right.map(|_| Self { session, name, right, most, operator: None, device }))
    }

    /// How far the browser is. What a box shows was opened by one that had just proved itself.
    pub fn stage(&self, now: Timestamp) -> Stage {
        let Some(device) = &self.device else { return Stage::In };
        let proves = device.kind == Kind::Browser && device.key.is_some();
        match device.is_let_in() {
            false => Stage::Waits,
            true if proves && self.session.smartbox.is_none() && !self.session.is_proved(now) => {
                Stage::Unproven
            }
            true => Stage::In,
        }
    }

    /// Who acts, on the platform's own origin.
    pub fn caller(&self) -> Caller {
        let actor = match &self.session.person {
            Some(person) => format!("person:{person}"),
            None => format!("session:{}", self.session.id),
        };
        Caller {
            actor,
            account: self.session.account.clone(),
            person: self.session.person.clone(),
            right: self.right,
            only: self.session.smartbox.clone().or_else(|| self.device.as_ref()?.smartbox.clone()),
            operator: self.operator,
            cap: self.most,
            root: Root {
                session: Some(self.session.id.clone()),
                token: self.session.root.token.clone(),
                device: self.session.root.device.clone(),
            },
            welcome: false,
            until: None,
        }
    }
}

/// What engines and people call whoever is nobody in particular.
const OWNER: &str = "owner";

/// What somebody is.
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) right: Option<Right>,
    pub(super) operator: Option<Right>,
}

/// What a person is in an account; whoever is nobody in particular is its owner. `None` if the person may
/// not come in any more.
pub(super) async fn standing(
    tx: &mut dyn Tx,
    account: &AccountId,
    person: Option<&PersonId>,
) -> Result<Option<Standing>, StoreError> {
    let Some(id) = person else {
        let (name, right) = (OWNER.to_owned(), Some(Right::Own));
        return Ok(Some(Standing { name, right, operator: None }));
    };
    let Some(person) = tx.people().get(id.clone()).await?.filter(|person| !person.disabled) else {
        return Ok(None);
    };
    let right = tx.grants().role(account.clone(), id.clone()).await?.map(Role::right);
    Ok(Some(Standing { name: plain(&person.name), right, operator: person.operator }))
}

/// The engine is told the name in a header, and gives the owner's rights by it: nobody else has that one.
fn plain(name: &str) -> String {
    let plain: String =
        name.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(64).collect();
    match plain.trim() {
        "" => "guest".into(),
        name if name.eq_ignore_ascii_case(OWNER) => format!("{name} (guest)"),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_as_the_owner_is() {
        for (name, told) in [
            ("Ann Lee", "Ann Lee"),
            (" owner ", "owner (guest)"),
            ("öowner", "owner (guest)"),
            ("OWNER", "OWNER (guest)"),
            ("\u{200b}", "guest"),
            ("a\r\nx-smartbox-via: b", "ax-smartbox-via: b"),
        ] {
            assert_eq!(plain(name), told, "{name:?}");
        }
    }
}
