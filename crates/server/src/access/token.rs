//! Bearers: what a request over TCP may carry instead of a session.

use std::time::Duration;

use smartbox_core::audit::Act;
use smartbox_core::device::DeviceId;
use smartbox_core::id::{SmartboxId, TokenId};
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_core::session::Root;
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;
use smartbox_core::token::{Purpose, Token};

use super::seat::standing;
use super::{Access, Caller, admitted, hash};

/// How exactly it is known when a token was used.
const USED: Duration = Duration::from_mins(1);

/// Who a bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// The master token: acts for the installation's first account.
    Master,
    /// A token.
    Token(Caller),
}

/// What a token is to be like.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What its maker calls it.
    pub name: String,
    /// How it may be used.
    pub purpose: Purpose,
    /// How much it may at the most.
    pub right: Right,
    /// The box that it is for, if for one alone.
    pub smartbox: Option<SmartboxId>,
    /// How long it works.
    pub lasts: Option<Duration>,
}

/// A token that was made; its value is shown once.
#[derive(Debug)]
pub struct MadeToken {
    /// Its identifier.
    pub id: TokenId,
    /// Its value.
    pub value: Secret<String>,
    /// How much it may at the most.
    pub right: Right,
    /// When it stops working.
    pub expires: Option<Timestamp>,
}

impl Access {
    /// Who this value is the token of: a link's, the API's, an operator's or the master's, never a
    /// ticket's, a device's or an invitation.
    pub async fn bearer(&self, value: &str) -> Result<Option<Bearer>, StoreError> {
        if self.is_master(value) {
            return Ok(Some(Bearer::Master));
        }
        Ok(self.token(value, None).await?.map(Bearer::Token))
    }

    /// Who a device's token stands for that came with a proof of this device's key.
    pub async fn bound(&self, value: &str, by: &DeviceId) -> Result<Option<Caller>, StoreError> {
        self.token(value, Some(by)).await
    }

    async fn token(
        &self,
        value: &str,
        by: Option<&DeviceId>,
    ) -> Result<Option<Caller>, StoreError> {
        let (hash, now) = (hash(value), self.clock.now());
        let found = self.known_token(hash.clone(), now).await?;
        let Some((caller, token)) = found else {
            // Whoever was shut out is a stranger again.
            self.proven().remove(&hash);
            return Ok(None);
        };
        let bound = (token.purpose == Purpose::Device).then_some(&token.root.device);
        // A token without a proof of its key is nobody's, and one that needs none is taken by itself.
        let proven = match (bound, by) {
            (None, None) => true,
            (Some(device), Some(by)) => device.as_ref() == Some(by),
            _ => false,
        };
        if !proven {
            return Ok(None);
        }
        self.proves(value);
        self.used(token, now).await?;
        Ok(Some(caller))
    }

    /// Notes that a token is used, and its device there, unless that is known.
    async fn used(&self, token: Token, now: Timestamp) -> Result<(), StoreError> {
        if token.used.is_some_and(|at| at.plus(USED) > now) {
            return Ok(());
        }
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                if let Some(device) = token.root.device {
                    tx.devices().seen(device, now).await?;
                }
                tx.tokens().used(token.id, now).await
            })
        })
        .await
    }

    async fn known_token(
        &self,
        hash: String,
        now: Timestamp,
    ) -> Result<Option<(Caller, Token)>, StoreError> {
        store::read(&*self.store, move |tx| {
            Box::pin(async move {
                match tx.tokens().find(hash, now).await? {
                    // It is for one browser, once, and no bearer.
                    Some(token) if token.purpose != Purpose::Invite => caller(tx, token, now).await,
                    _ => Ok(None),
                }
            })
        })
        .await
    }

    /// Whom the token with this value stands for now, for a connection that it opened. As long as that is
    /// open the token is used.
    pub(crate) async fn still(&self, value: &str) -> Result<Option<Caller>, StoreError> {
        let now = self.clock.now();
        let found = self.known_token(hash(value), now).await?;
        let Some((caller, token)) = found else { return Ok(None) };
        self.used(token, now).await?;
        Ok(Some(caller))
    }

    /// Whether this value is the master token.
    pub fn is_master(&self, value: &str) -> bool {
        self.master.as_ref().is_some_and(|master| master.is(value))
    }

    /// Makes a token on a caller's behalf. It may never more than they, and one that is made by a token
    /// ends with it: nobody keeps the way in that another one takes away. `None`: there are `most` beside which
    /// it would count. They are counted where it is made, so that two at once are not one too many.
    pub async fn new_token(
        &self,
        by: &Caller,
        new: NewToken,
        most: usize,
    ) -> Result<Option<MadeToken>, StoreError> {
        let now = self.clock.now();
        let value = self.value(match new.purpose {
            Purpose::Operator => "sbo",
            Purpose::Invite => "sbi",
            _ => "sba",
        });
        let token = Token {
            id: TokenId::generate(&*self.entropy),
            hash: hash(value.expose()),
            name: new.name,
            account: by.account.clone(),
            person: by.person.clone(),
            smartbox: new.smartbox,
            purpose: new.purpose,
            right: new.right.min(by.cap),
            // What something makes goes with it.
            root: Root { session: None, ..by.root.clone() },
            created: now,
            expires: new.lasts.map(|lasts| now.plus(lasts)),
            used: None,
        };
        let (id, right, expires) = (token.id.clone(), token.right, token.expires);
        let made = MadeToken { id, value, right, expires };
        let action = match token.purpose {
            Purpose::Operator => "operator-key.create",
            Purpose::Invite => "device.invite",
            _ => "token.create",
        };
        let act = act(by, action, token.smartbox.clone(), token.id.to_string(), now);
        let is_made = store::write(&*self.store, move |tx| {
            Box::pin(async move {
                let mut others =
                    tx.tokens().list(Some(token.account.clone()), token.purpose).await?;
                others.retain(|other| counts(other, &token, now));
                if others.len() >= most {
                    return Ok(false);
                }
                tx.tokens().add(token).await?;
                tx.audit().append(act).await?;
                Ok(true)
            })
        })
        .await?;
        Ok(is_made.then_some(made))
    }

    /// Revokes every token of the API of an account, and every invitation, and ends what was begun by one, or
    /// by a link or the master token: every sign-in of nobody in particular but the one that asks.
    pub async fn revoke_tokens(&self, by: &Caller) -> Result<(), StoreError> {
        let now = self.clock.now();
        let act = act(by, "token.revoke", None, String::new(), now);
        let (account, own) = (by.account.clone(), by.root.session.clone());
        self.change(move |tx| {
            Box::pin(async move {
                tx.tokens().revoke_all(account.clone(), Purpose::Api).await?;
                tx.tokens().revoke_all(account.clone(), Purpose::Invite).await?;
                for session in tx.sessions().list(account, now).await? {
                    let asks = own.is_some()
                        && (own.as_ref() == Some(&session.id) || own == session.root.session);
                    if session.person.is_none() && !asks {
                        tx.sessions().end(session.hash).await?;
                    }
                }
                tx.audit().append(act).await
            })
        })
        .await?;
        Ok(())
    }
}

/// Whether a token takes a place that this one needs: nobody's tokens take anybody else's, but for those of an
/// account that are good for whoever opens them.
fn counts(other: &Token, token: &Token, now: Timestamp) -> bool {
    let same = token.purpose == Purpose::Invite || other.person == token.person;
    same && other.expires.is_none_or(|at| at > now)
}

pub(super) fn act(
    by: &Caller,
    action: &str,
    smartbox: Option<SmartboxId>,
    detail: String,
    at: Timestamp,
) -> Act {
    Act {
        account: by.account.clone(),
        actor: by.actor.clone(),
        action: action.into(),
        smartbox,
        detail,
        at,
    }
}

/// Whom a token stands for now; `None` if it lets nobody in any more.
pub(super) async fn caller(
    tx: &mut dyn Tx,
    token: Token,
    now: Timestamp,
) -> Result<Option<(Caller, Token)>, StoreError> {
    if token.purpose == Purpose::Ticket || !admitted(tx, &token.account).await? {
        return Ok(None);
    }
    let mut most = token.right;
    if token.purpose == Purpose::Device {
        let device = match token.root.device.clone() {
            Some(id) => tx
                .devices()
                .get(id)
                .await?
                .filter(|device| device.is_let_in() && !device.is_forgotten(now)),
            None => None,
        };
        match device.and_then(|device| device.granted) {
            Some(granted) => most = most.min(granted),
            None => return Ok(None),
        }
    }
    let standing = standing(tx, &token.account, token.person.as_ref()).await?;
    let Some(standing) = standing else { return Ok(None) };
    let right = standing.right.map(|right| right.min(most));
    let operator = match (token.purpose, &token.person) {
        (Purpose::Operator, None) => Some(token.right),
        // Whoever made it may have less now.
        (Purpose::Operator, Some(_)) => standing.operator.map(|most| most.min(token.right)),
        _ => None,
    };
    let caller = Caller {
        actor: format!("token:{}", token.id),
        account: token.account.clone(),
        person: token.person.clone(),
        right,
        only: token.smartbox.clone(),
        operator,
        cap: most,
        root: match token.purpose {
            // A link is replaced by each start, and an invitation burnt; what came of it stays, and hangs on what
            // they were made by.
            Purpose::Link | Purpose::Invite => Root { session: None, ..token.root.clone() },
            // Each time that it asks again a device has another one, and what it made before stays its.
            Purpose::Device => {
                Root { session: None, token: None, device: token.root.device.clone() }
            }
            _ => {
                let device = token.root.device.clone();
                Root { session: None, token: Some(token.id.clone()), device }
            }
        },
        welcome: matches!(token.purpose, Purpose::Link | Purpose::Invite),
        until: None,
    };
    Ok(Some((caller, token)))
}
