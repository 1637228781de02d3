//! Devices: they ask, somebody decides, and what comes of it is a token that is bound to the key.

use smartbox_core::audit::Act;
use smartbox_core::device::{Asking, Device, DeviceId, Poll, Refusal, Undecided, Waiting, code};
use smartbox_core::id::{AccountId, TokenId};
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_core::session::Root;
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;
use smartbox_core::token::{Purpose, Token};

use super::{Access, Caller, admitted, away, hash};

/// What a device is given that is let in.
#[derive(Debug)]
pub struct Granted {
    /// The token; good only with proofs of the device's key.
    pub token: Secret<String>,
    /// How much it may.
    pub right: Right,
    /// Which device it is.
    pub device: DeviceId,
}

/// What comes of a poll.
#[derive(Debug)]
pub enum Polled {
    /// There is no such request, or it is another device's.
    Unknown,
    /// Not yet, or not at all.
    Told(Poll),
    /// It is let in.
    Granted(Granted),
}

/// What somebody decides about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Let in.
    Approve {
        /// With this much; with what it asked for as far as that can be given, if absent.
        right: Option<Right>,
        /// By this request, which is the one that they were shown; by any, if nobody was shown one.
        ask: Option<String>,
    },
    /// Not let in.
    Reject,
    /// Let in no more.
    Revoke,
}

/// What comes of a decision.
pub type Decided = Result<Device, Undecided>;

impl Access {
    /// Notes that a device asks. Its codes are values that are shown once.
    pub async fn device_asks(&self, new: Asking) -> Result<Result<Device, Refusal>, StoreError> {
        let now = self.clock.now();
        store::write(&*self.store, move |tx| Box::pin(async move { asks(tx, new, now).await }))
            .await
    }

    /// A device polls that has proved to have the key of this one, over this nonce.
    pub async fn device_polls(
        &self,
        device_code: &str,
        by: DeviceId,
        nonce: Option<String>,
    ) -> Result<Polled, StoreError> {
        let now = self.clock.now();
        let (wanted, value) = (hash(device_code), self.value("sbd"));
        let (id, hashed) = (TokenId::generate(&*self.entropy), hash(value.expose()));
        let code = wanted.clone();
        let there = store::read(&*self.store, move |tx| {
            Box::pin(async move { tx.devices().by_device_code(code).await })
        });
        // Whoever makes codes up waits for no writer, nor does anybody for them.
        if there.await?.is_none() {
            return Ok(Polled::Unknown);
        }
        let polled = self
            .change_if(
                move |tx| {
                    Box::pin(async move {
                        let found = tx.devices().by_device_code(wanted).await?;
                        let its = |device: &Device| {
                            let asked = device.ask.as_ref().map(|ask| &ask.nonce);
                            device.id == by && asked == nonce.as_ref()
                        };
                        let Some(mut device) = found.filter(its) else { return Ok(None) };
                        let told = device.poll(now);
                        tx.devices().put(device.clone()).await?;
                        if told == Poll::Granted {
                            grant(tx, &device, (id, hashed), now).await?;
                        }
                        Ok(Some((told, device)))
                    })
                },
                // What it had before is over, open connections too.
                |polled| matches!(polled, Some((Poll::Granted, _))),
            )
            .await?;
        Ok(match polled {
            None => Polled::Unknown,
            Some((Poll::Granted, Device { id: device, granted: Some(right), .. })) => {
                Polled::Granted(Granted { token: value, right, device })
            }
            Some((told, _)) => Polled::Told(told),
        })
    }

    /// The devices of an account.
    pub async fn devices(&self, account: &AccountId) -> Result<Vec<Device>, StoreError> {
        let account = account.clone();
        store::read(&*self.store, |tx| Box::pin(async move { tx.devices().list(account).await }))
            .await
    }

    /// One of an account.
    pub async fn device(
        &self,
        account: &AccountId,
        id: DeviceId,
    ) -> Result<Option<Device>, StoreError> {
        let found =
            store::read(&*self.store, |tx| Box::pin(async move { tx.devices().get(id).await }));
        Ok(found.await?.filter(|device| device.account.as_ref() == Some(account)))
    }

    /// The one of an account that shows this code, while it waits.
    pub async fn device_showing(
        &self,
        account: &AccountId,
        code: &str,
    ) -> Result<Option<Device>, StoreError> {
        let (hash, now) = (code::hash(code), self.clock.now());
        let found = store::read(&*self.store, |tx| {
            Box::pin(async move { tx.devices().by_user_code(hash).await })
        });
        let its = |device: &Device| device.account.as_ref() == Some(account) && device.waits(now);
        Ok(found.await?.filter(its))
    }

    /// Somebody who may `most` decides about a device of their account. `None`: there is none.
    pub async fn decide(
        &self,
        by: &Caller,
        most: Right,
        id: DeviceId,
        decision: Decision,
    ) -> Result<Option<Decided>, StoreError> {
        let (who, now) = (by.clone(), self.clock.now());
        // What hangs on it is over, or may less, afterwards.
        self.change(move |tx| {
            Box::pin(async move {
                let found = tx.devices().get(id).await?;
                let its = |device: &Device| device.account.as_ref() == Some(&who.account);
                let Some(mut device) = found.filter(its) else { return Ok(None) };
                let done = match &decision {
                    Decision::Approve { ask: Some(ask), .. } if device.asks_anew(ask, now) => {
                        Err(Undecided::Another)
                    }
                    Decision::Approve { right, .. } => {
                        let asked = device.ask.as_ref().map_or(Right::Read, |ask| ask.requested);
                        let right = right.unwrap_or(asked.min(most).min(Right::Manage));
                        let by = (most, who.actor.as_str(), who.person.clone());
                        let was_in = device.is_let_in();
                        let done = device.approve(right, by, now);
                        done.inspect(|()| device.hangs_on(&who.root, was_in))
                    }
                    Decision::Reject => device.reject(&who.actor, now),
                    // Whoever has one may always give it up.
                    Decision::Revoke if !device.ends_by(most) && !is_own(&who, &device) => {
                        Err(Undecided::TooLittle)
                    }
                    Decision::Revoke if device.revoke(&who.actor, now) => Ok(()),
                    Decision::Revoke => Err(Undecided::Over),
                };
                if let Err(undecided) = done {
                    return Ok(Some(Err(undecided)));
                }
                let action = match decision {
                    Decision::Approve { .. } => "device.approve",
                    Decision::Reject => "device.reject",
                    Decision::Revoke => "device.revoke",
                };
                tx.devices().put(device.clone()).await?;
                tx.audit().append(act(&who, action, &device, now)).await?;
                Ok(Some(Ok(device)))
            })
        })
        .await
    }

    /// Calls a device of the caller's account something else.
    pub async fn rename_device(
        &self,
        by: &Caller,
        id: DeviceId,
        name: String,
    ) -> Result<Option<Device>, StoreError> {
        let (who, now) = (by.clone(), self.clock.now());
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                let found = tx.devices().get(id).await?;
                let its = |device: &Device| device.account.as_ref() == Some(&who.account);
                let Some(mut device) = found.filter(its) else { return Ok(None) };
                device.name = name;
                tx.devices().put(device.clone()).await?;
                tx.audit().append(act(&who, "device.rename", &device, now)).await?;
                Ok(Some(device))
            })
        })
        .await
    }
}

/// Whether a device is the one that they come by, or in their own hands.
fn is_own(who: &Caller, device: &Device) -> bool {
    let theirs = who.person.is_some() && who.person == device.person;
    theirs || who.root.device.as_ref() == Some(&device.id)
}

/// Notes that a device asks, if there is a place for it.
pub(super) async fn asks(
    tx: &mut dyn Tx,
    new: Asking,
    now: Timestamp,
) -> Result<Result<Device, Refusal>, StoreError> {
    let before = match tx.devices().get(new.id.clone()).await? {
        // What it let in hangs on it no more, before something of that lets it in.
        Some(device) if device.is_forgotten(now) => Some(away::end(tx, device, now).await?),
        other => other,
    };
    let waiting = Waiting::among(tx.devices().waiting(now).await?, &new);
    let device = match Device::asking(before, new, &waiting, now) {
        Ok(device) => device,
        Err(refusal) => return Ok(Err(refusal)),
    };
    tx.devices().put(device.clone()).await?;
    for id in waiting.give_way.into_iter().filter(|_| device.waits(now)) {
        if let Some(mut other) = tx.devices().get(id).await? {
            other.gives_way(now);
            tx.devices().put(other).await?;
        }
    }
    Ok(Ok(device))
}

/// Makes the token of a device that is let in.
async fn grant(
    tx: &mut dyn Tx,
    device: &Device,
    (id, hash): (TokenId, String),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some(account), Some(right)) = (device.account.clone(), device.granted) else {
        return Err(StoreError::Missing { what: "account" });
    };
    if !admitted(tx, &account).await? {
        return Err(StoreError::Missing { what: "account" });
    }
    // One at a time, however often it asks: what nobody has any more works for nobody.
    for token in tx.tokens().list(Some(account.clone()), Purpose::Device).await? {
        if token.root.device.as_ref() == Some(&device.id) {
            tx.tokens().revoke(token.id).await?;
        }
    }
    let act = Act {
        account: account.clone(),
        actor: format!("device:{}", device.id.short()),
        action: "device.token".into(),
        smartbox: device.smartbox.clone(),
        detail: device.id.to_string(),
        at: now,
    };
    let token = Token {
        id,
        hash,
        name: device.name.clone(),
        account,
        person: device.person.clone(),
        smartbox: device.smartbox.clone(),
        purpose: Purpose::Device,
        right,
        root: Root { session: None, token: None, device: Some(device.id.clone()) },
        created: now,
        expires: None,
        used: None,
    };
    tx.tokens().add(token).await?;
    tx.audit().append(act).await
}

pub(super) fn act(by: &Caller, action: &str, device: &Device, at: Timestamp) -> Act {
    Act {
        account: by.account.clone(),
        actor: by.actor.clone(),
        action: action.into(),
        smartbox: device.smartbox.clone(),
        detail: device.id.to_string(),
        at,
    }
}
