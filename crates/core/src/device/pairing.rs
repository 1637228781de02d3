//! The rules of pairing: what comes of a request, and when. Pure: the time is an argument.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Device, DeviceId, Kind, PublicKey, State, code};
use crate::id::{AccountId, PersonId, SmartboxId};
use crate::limit::Client;
use crate::person::Right;
use crate::session::Root;
use crate::time::Timestamp;

/// How long a request waits for somebody.
pub const LASTS: Duration = Duration::from_mins(10);
/// How long a device that comes by a token may stay away: whoever lost one need not remember it.
pub const IDLE: Duration = Duration::from_hours(30 * 24);
/// Who decided about one that stayed away for too long.
pub const FORGOTTEN: &str = "idle";
/// How long a device waits at first before it asks again.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// How much longer each time that it asked too soon (RFC 8628, 3.5).
pub const SLOWER: Duration = Duration::from_secs(5);
/// The most requests that wait at once: in all, for one account, and from one client.
pub const MOST: Most = Most { all: 1_000, account: 20, client: 5 };

/// How many requests may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// In all.
    pub all: usize,
    /// For one account.
    pub account: usize,
    /// From one client.
    pub client: usize,
}

/// A request that waits, as far as another one may need its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose it is.
    pub id: DeviceId,
    /// The account that it is for.
    pub account: Option<AccountId>,
    /// [`Device::name`], which tells accounts apart that are not there.
    pub name: String,
    /// Where it came from.
    pub address: String,
    /// When.
    pub at: Timestamp,
}

/// What a request finds when it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// So many of the same client wait already.
    pub client: usize,
    /// Those that are over if it waits. Whoever holds every place of an account, from however many addresses,
    /// keeps nobody from asking: the oldest request of the client gives way that has the most.
    pub give_way: Vec<DeviceId>,
}

impl Waiting {
    /// Among those that wait.
    pub fn among(mut others: Vec<Place>, new: &Asking) -> Self {
        // It takes its own place again.
        others.retain(|place| place.id != new.id);
        let from = client(&new.address);
        let client = others.iter().filter(|place| client(&place.address) == from).count();
        let same = |place: &Place| {
            place.account == new.account && (new.account.is_some() || place.name == new.name)
        };
        let mut give_way = crowded_out(&mut others, MOST.account, &from, same);
        give_way.extend(crowded_out(&mut others, MOST.all, &from, |_| true));
        Self { client, give_way }
    }

    /// Whether there is no place for another one. Nothing that anybody else did makes it so.
    fn is_full(&self) -> bool {
        self.client >= MOST.client
    }
}

/// Takes out of these places what has to go for one more from this client.
fn crowded_out(
    places: &mut Vec<Place>,
    most: usize,
    from: &str,
    of: impl Fn(&Place) -> bool,
) -> Vec<DeviceId> {
    let mut gone = Vec::new();
    loop {
        let these: Vec<_> = places.iter().filter(|place| of(place)).collect();
        if these.len() < most {
            return gone;
        }
        let mut counts = HashMap::from([(from.to_owned(), 1)]);
        for place in &these {
            *counts.entry(client(&place.address)).or_insert(0) += 1;
        }
        let rank = |place: &&&Place| (counts.get(&client(&place.address)), Reverse(place.at));
        let Some(id) = these.iter().max_by_key(rank).map(|place| place.id.clone()) else {
            return gone;
        };
        places.retain(|place| place.id != id);
        gone.push(id);
    }
}

/// Whom an address stands for; what is none stands for itself.
fn client(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(ip) => Client::from(ip).to_string(),
        Err(_) => address.to_owned(),
    }
}

/// What a device asks for. Of its codes only hashes are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Of the code that people type.
    pub user_code: String,
    /// Of the code that the device polls by.
    pub device_code: String,
    /// What the device signs, and what the comparison digits are of.
    pub nonce: String,
    /// How much it would like. Says nothing of what it gets.
    pub requested: Right,
    /// When it asked.
    pub at: Timestamp,
    /// When it is over.
    pub expires: Timestamp,
    /// How long it has to wait between two polls.
    pub interval: Duration,
    /// When it polled last.
    pub polled: Option<Timestamp>,
    /// What somebody decided.
    pub verdict: Verdict,
}

impl Ask {
    /// Whether somebody may still decide.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.verdict == Verdict::Waiting && self.expires > now
    }

    /// Tells this request from every other, also of the same device: each has a nonce of its own, which stays
    /// between the device and the platform.
    pub fn mark(&self) -> String {
        code::hash(&self.nonce)
    }
}

/// What was decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Waiting,
    /// It is granted, and not fetched yet.
    Approved,
    /// It is not.
    Rejected,
}

crate::words! {
    Verdict { Waiting = "waiting", Approved = "approved", Rejected = "rejected" }
}

/// A device that asks, with what it says of itself.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Which one.
    pub id: DeviceId,
    /// The key that it proved to have.
    pub key: Option<PublicKey>,
    /// What it is.
    pub kind: Kind,
    /// The account that it would come in to, if that is there.
    pub account: Option<AccountId>,
    /// The one box that it would be for.
    pub smartbox: Option<SmartboxId>,
    /// Who signed in with it, if it is a browser.
    pub person: Option<PersonId>,
    /// What it calls itself; see [`Device::name`].
    pub name: String,
    /// What it says it runs on.
    pub platform: String,
    /// Where it asks from.
    pub address: String,
    /// How much it would like.
    pub requested: Right,
    /// Hash of the code that people type.
    pub user_code: String,
    /// Hash of the code that it polls by.
    pub device_code: String,
    /// What it is to sign.
    pub nonce: String,
}

/// Why a device may not even ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its key is let in elsewhere.
    #[error("this key is let in already, to something else: make another key")]
    Elsewhere,
    /// Too many of the same client wait already.
    #[error("too many devices that asked from there wait to be let in")]
    Full,
}

/// Why somebody cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// It does not ask for anything, or not any more.
    #[error("the device does not ask for anything, or not any more")]
    Over,
    /// Somebody has decided.
    #[error("somebody has decided about the device already")]
    Already,
    /// More than the one who decides may, or than the device asked for.
    #[error("nobody can give more than they may, or more than a device asked for")]
    TooMuch,
    /// It may more than the one who decides.
    #[error("nobody shuts out what may more than they")]
    TooLittle,
    /// It is not the request that they were shown.
    #[error("the device has asked anew since it was shown, maybe for something else")]
    Another,
}

/// What a device is told that polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has decided.
    Pending,
    /// Nobody has, and it asks too often.
    SlowDown,
    /// It is not let in.
    Denied,
    /// It took too long.
    Expired,
    /// It is let in; this is said once.
    Granted,
}

impl Device {
    /// What comes of a device that asks: it waits. One that is let in keeps what it has until somebody
    /// gives it more; what it has already it gets again without asking anybody, by the same key.
    pub fn asking(
        before: Option<Self>,
        new: Asking,
        waiting: &Waiting,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let before = before.filter(|device| device.is_let_in() && !device.is_forgotten(now));
        if before.as_ref().is_some_and(|device| device.is_elsewhere(&new)) {
            return Err(Refusal::Elsewhere);
        }
        let mut ask = Ask {
            user_code: new.user_code,
            device_code: new.device_code,
            nonce: new.nonce,
            requested: new.requested,
            at: now,
            expires: now.plus(LASTS),
            interval: INTERVAL,
            polled: None,
            verdict: Verdict::Waiting,
        };
        if let Some(device) = before {
            if device.granted.is_some_and(|granted| new.requested <= granted) {
                ask.verdict = Verdict::Approved;
            } else if waiting.is_full() {
                return Err(Refusal::Full);
            }
            return Ok(Self { ask: Some(ask), address: new.address, ..device });
        }
        if waiting.is_full() {
            return Err(Refusal::Full);
        }
        Ok(Self {
            id: new.id,
            key: new.key,
            kind: new.kind,
            account: new.account,
            smartbox: new.smartbox,
            person: new.person,
            name: new.name,
            platform: new.platform,
            address: new.address,
            state: State::Pending,
            granted: None,
            ask: Some(ask),
            created: now,
            decided: None,
            decided_by: None,
            seen: None,
            root: Root::default(),
        })
    }

    /// Whether its key is let in to something else than what is asked for.
    fn is_elsewhere(&self, new: &Asking) -> bool {
        let browser = self.kind == Kind::Browser;
        self.account != new.account
            || self.smartbox != new.smartbox
            || browser != (new.kind == Kind::Browser)
            || (browser && self.person != new.person)
    }

    /// Gives up its place, if it waits: whoever polls is told that it took too long.
    pub fn gives_way(&mut self, now: Timestamp) {
        if let Some(ask) = self.ask.as_mut().filter(|ask| ask.waits(now)) {
            ask.expires = now;
        }
    }

    /// Whether somebody may still decide about it.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.ask.as_ref().is_some_and(|ask| ask.waits(now))
    }

    /// Whether it waits by another request than the one with this mark: whoever was shown that one has not
    /// seen what would be let in.
    pub fn asks_anew(&self, mark: &str, now: Timestamp) -> bool {
        self.ask.as_ref().is_some_and(|ask| ask.waits(now) && ask.mark() != mark)
    }

    fn undecided(&mut self, now: Timestamp) -> Result<&mut Ask, Undecided> {
        match &mut self.ask {
            Some(ask) if ask.expires > now => match ask.verdict {
                Verdict::Waiting => Ok(ask),
                Verdict::Approved | Verdict::Rejected => Err(Undecided::Already),
            },
            _ => Err(Undecided::Over),
        }
    }

    /// Lets it in, with as much as `right`, by somebody who may `most`. Its hands are theirs from now on;
    /// a browser stays in those of whoever signed in with it.
    pub fn approve(
        &mut self,
        right: Right,
        (most, by, person): (Right, &str, Option<PersonId>),
        now: Timestamp,
    ) -> Result<(), Undecided> {
        let ask = self.undecided(now)?;
        if right > most || right > ask.requested {
            return Err(Undecided::TooMuch);
        }
        ask.verdict = Verdict::Approved;
        self.state = State::Approved;
        self.granted = Some(right);
        if self.kind != Kind::Browser {
            self.person = person;
        }
        self.decided_as(by, now);
        Ok(())
    }

    /// Does not let it in; what it has already it keeps.
    pub fn reject(&mut self, by: &str, now: Timestamp) -> Result<(), Undecided> {
        self.undecided(now)?.verdict = Verdict::Rejected;
        if self.state == State::Pending {
            self.state = State::Rejected;
        }
        self.decided_as(by, now);
        Ok(())
    }

    /// Notes what it was let in by. Of one that was in already that stays: two that let each other in would else
    /// hang on nothing but themselves.
    pub fn hangs_on(&mut self, by: &Root, was_in: bool) {
        if !was_in {
            self.root = Root { session: None, ..by.clone() };
        }
    }

    /// Whether somebody who may `most` may shut it out: what may less ends nothing that may more.
    pub fn ends_by(&self, most: Right) -> bool {
        self.granted <= Some(most)
    }

    /// Lets it in no more; whether it was.
    pub fn revoke(&mut self, by: &str, now: Timestamp) -> bool {
        if !self.is_let_in() {
            return false;
        }
        (self.state, self.granted, self.ask) = (State::Revoked, None, None);
        self.decided_as(by, now);
        true
    }

    fn decided_as(&mut self, by: &str, now: Timestamp) {
        self.decided = Some(now);
        self.decided_by = Some(by.to_owned());
    }

    /// What it is told when it polls. What it is granted it gets once: the request is gone then.
    pub fn poll(&mut self, now: Timestamp) -> Poll {
        let Some(ask) = &mut self.ask else { return Poll::Expired };
        if ask.expires <= now {
            return Poll::Expired;
        }
        match ask.verdict {
            Verdict::Rejected => Poll::Denied,
            Verdict::Approved => {
                self.ask = None;
                Poll::Granted
            }
            Verdict::Waiting => {
                let soon = ask.polled.is_some_and(|at| at.plus(ask.interval) > now);
                ask.polled = Some(now);
                if soon {
                    ask.interval = ask.interval.saturating_add(SLOWER);
                    return Poll::SlowDown;
                }
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests;
