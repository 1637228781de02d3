//! The rules that count for a box, as lines.

use smartbox_control::Standings;
use smartbox_core::egress::{Effect, Kept, Scope, Source, What};
use smartbox_core::time::Timestamp;

use super::words;
use crate::http::page::words as said;

/// One rule.
pub(super) struct Line {
    pub(super) allows: bool,
    pub(super) what: String,
    pub(super) is_preset: bool,
    pub(super) source: &'static str,
    pub(super) ends: String,
    /// What the form sends to take it back; empty if it is not the owner's.
    pub(super) id: String,
    pub(super) of_account: bool,
}

/// Those that a person can take back first.
pub(super) fn lines(counts: Standings, now: Timestamp) -> Vec<Line> {
    let holds = |kept: &Kept| kept.until.is_none_or(|until| now < until);
    let (own, account): (Vec<Kept>, Vec<Kept>) = counts
        .kept
        .into_iter()
        .filter(holds)
        .partition(|kept| matches!(kept.scope, Scope::Smartbox(_)));
    let given = counts.given.into_iter().map(|(source, what)| given(source, &what));
    let kept = own.into_iter().rev().chain(account.into_iter().rev()).map(|one| kept(&one, now));
    kept.chain(given).collect()
}

fn kept(kept: &Kept, now: Timestamp) -> Line {
    let of_account = matches!(kept.scope, Scope::Account(_));
    let source = if of_account { Source::Account } else { Source::Smartbox };
    let ends = match kept.until {
        _ if kept.once => "for one connection".into(),
        Some(until) => format!("ends {}", said::ends(now, until)),
        None => String::new(),
    };
    let allows = kept.effect == Effect::Allow;
    let id = kept.id.to_string();
    Line { allows, ends, id, of_account, ..given(source, &kept.what) }
}

fn given(source: Source, what: &What) -> Line {
    let (what, is_preset) = match what {
        What::Rule(rule) => (words::rule(rule), false),
        What::Preset(name) => (name.clone(), true),
    };
    let source = words::source(source);
    let (ends, id) = (String::new(), String::new());
    Line { allows: true, what, is_preset, source, ends, id, of_account: false }
}
