//! A device as a page shows it: what it says of itself as text that stays in its place, what it asks for, and
//! how much of that whoever looks may give.

use std::collections::HashMap;

use smartbox_core::audit;
use smartbox_core::device::{Device, Kind, code};
use smartbox_core::id::{AccountId, PersonId};
use smartbox_core::person::Right;
use smartbox_core::store;
use smartbox_core::time::Timestamp;

use crate::app::App;
use crate::http::device::plain;
use crate::http::page::words;
use crate::http::trouble::Trouble;

/// One device.
pub(in crate::http::page) struct Line {
    pub(in crate::http::page) id: String,
    /// The beginning of its id, which is that of its key.
    pub(in crate::http::page) short: String,
    pub(in crate::http::page) name: String,
    pub(in crate::http::page) kind: &'static str,
    pub(in crate::http::page) platform: String,
    pub(in crate::http::page) address: String,
    /// It has no key that could be proven.
    pub(in crate::http::page) keyless: bool,
    pub(in crate::http::page) asks: Option<Asks>,
    /// How much it may; empty if nothing.
    pub(in crate::http::page) granted: &'static str,
    pub(in crate::http::page) seen: String,
    /// What was decided, when and by whom; empty if nothing was.
    pub(in crate::http::page) decided: String,
}

/// What it asks for.
pub(in crate::http::page) struct Asks {
    pub(in crate::http::page) right: &'static str,
    /// Which request it is.
    pub(in crate::http::page) ask: String,
    pub(in crate::http::page) digits: String,
    pub(in crate::http::page) ends: String,
    pub(in crate::http::page) choices: Vec<Choice>,
}

/// How much it may be given.
pub(in crate::http::page) struct Choice {
    pub(in crate::http::page) right: &'static str,
    pub(in crate::http::page) means: &'static str,
    pub(in crate::http::page) first: bool,
}

impl Line {
    /// As somebody sees it who may give `most`.
    pub(in crate::http::page) fn of(
        device: &Device,
        most: Right,
        now: Timestamp,
        names: &Names,
    ) -> Self {
        let decided = match (device.decided, &device.decided_by) {
            (Some(at), Some(by)) => {
                // Of one that is let in the last word may have been about more, and no.
                let let_in = device.is_let_in();
                let what = if let_in { "last decided" } else { device.state.as_str() };
                format!("{what} {} by {}", words::ago(now, at), names.of_actor(by))
            }
            _ => String::new(),
        };
        let asks = device.ask.as_ref().filter(|ask| ask.waits(now)).map(|ask| Asks {
            right: ask.requested.as_str(),
            ask: ask.mark(),
            digits: code::comparison(device.key.as_ref(), &ask.nonce),
            ends: words::ends(now, ask.expires),
            choices: choices(ask.requested.min(most)),
        });
        Self {
            short: device.id.short().to_owned(),
            id: device.id.to_string(),
            name: plain(Some(&device.name), "a device without a name"),
            kind: kind(device.kind),
            platform: plain(Some(&device.platform), "unknown"),
            address: plain(Some(&device.address), "unknown"),
            keyless: device.key.is_none(),
            asks,
            granted: device.granted.map_or("", Right::as_str),
            seen: device.seen.map_or_else(String::new, |at| words::ago(now, at)),
            decided,
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Browser => "browser",
        Kind::Cli => "command line",
        Kind::Chat => "chat account",
        Kind::Connector => "connector",
    }
}

/// What can be given, the least first. `own` is nobody's first thought.
fn choices(most: Right) -> Vec<Choice> {
    let first = most.min(Right::Manage);
    let given = Right::ALL.into_iter().filter(|right| *right <= most);
    let choices = given.map(|right| Choice {
        right: right.as_str(),
        means: match right {
            Right::Read => "look",
            Right::Chat => "look and write",
            Right::Manage => "start, stop and change too",
            Right::Own => "everything: secrets, people and removal too",
        },
        first: right == first,
    });
    choices.collect()
}

/// What those are called who decide, as far as an account may know.
pub(in crate::http::page) struct Names(HashMap<PersonId, String>);

impl Names {
    /// Of the people of an account.
    pub(in crate::http::page) async fn of(app: &App, account: &AccountId) -> Result<Self, Trouble> {
        let account = account.clone();
        let members = store::read(&*app.store, |tx| {
            Box::pin(async move { tx.grants().members(account).await })
        });
        let named = members.await?.into_iter().map(|(person, _)| (person.id, person.name));
        Ok(Self(named.collect()))
    }

    fn of_actor(&self, actor: &str) -> String {
        let (who, from) = audit::who(actor);
        let who = match who.split_once(':') {
            Some(("person", id)) => {
                id.parse().ok().and_then(|id: PersonId| self.0.get(&id)).map_or_else(
                    || "somebody who is not in the account".into(),
                    |name| plain(Some(name), "somebody"),
                )
            }
            Some(("session", _)) => "an owner's browser".into(),
            Some(("token", _)) => "a token".into(),
            Some(("cli", _)) => "the platform's own command line".into(),
            _ => match who {
                "master-token" | "admin-secret" => "the master token".into(),
                _ => plain(Some(who), "somebody"),
            },
        };
        from.map_or_else(|| who.clone(), |from| format!("{who} from {from}"))
    }
}
