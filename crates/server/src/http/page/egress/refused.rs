//! What was refused, and what went out: the account of a box by host, over its days.

use std::collections::HashMap;

use smartbox_core::egress::{Host, Refusal, Use};
use smartbox_core::time::Timestamp;

use super::words;
use crate::http::page::words as said;

/// One host and port.
pub(super) struct Line {
    /// As it is shown.
    pub(super) place: String,
    /// As the form sends it.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) times: String,
    pub(super) last: String,
    pub(super) why: &'static str,
    /// A rule would help, and so does a button.
    pub(super) can_allow: bool,
    /// A rule that refuses it would mean something.
    pub(super) can_deny: bool,
    /// By the rules of this moment it is let out.
    pub(super) allowed: bool,
    pub(super) opened: String,
    pub(super) sent: String,
    pub(super) fetched: String,
    /// As the program calls itself; empty if it is not known.
    pub(super) by: String,
    /// The secrets that went there, by name; empty if none did.
    pub(super) secrets: String,
}

/// Those that were refused, and those that went out; what happened last comes first.
pub(super) fn lines(uses: Vec<(Use, bool)>, now: Timestamp) -> (Vec<Line>, Vec<Line>) {
    let mut order: Vec<(Use, bool)> = Vec::new();
    let mut seen: HashMap<(String, u16), usize> = HashMap::new();
    for (one, allowed) in uses {
        match seen.get(&(one.host.clone(), one.port)).and_then(|at| order.get_mut(*at)) {
            // Older: what is known already is the last of it.
            Some((known, _)) => {
                let (why, last) = (known.why.or(one.why), known.last.max(one.last));
                known.add(&one);
                (known.why, known.last) = (why, last);
            }
            None => {
                seen.insert((one.host.clone(), one.port), order.len());
                order.push((one, allowed));
            }
        }
    }
    let refused = order.iter().filter(|(one, _)| one.refused > 0);
    let refused = refused.map(|(one, allowed)| line(one, *allowed, now)).collect();
    let went = order.iter().filter(|(one, _)| one.opened > 0);
    let went = went.map(|(one, allowed)| line(one, *allowed, now)).collect();
    (refused, went)
}

fn line(one: &Use, allowed: bool, now: Timestamp) -> Line {
    // What a box asked for is its own text; only what is a host can be allowed.
    let host = Host::parse(&one.host);
    // Without a port it was a question about a name, which a rule at the usual port answers.
    let is_name = one.port == 0 && matches!(host, Ok(Host::Name(_)));
    let is_host = host.is_ok() && (one.port > 0 || is_name);
    let place = words::place(&one.host, one.port);
    let helps = matches!(one.why, Some(Refusal::NotListed | Refusal::Port));
    Line {
        place: if is_name { format!("{place} (name)") } else { place },
        host: one.host.clone(),
        port: if is_name { 443 } else { one.port },
        times: said::times(one.refused),
        last: last(one.refused.max(one.opened), said::ago(now, one.last)),
        why: one.why.map_or("", words::why),
        can_allow: is_host && helps && !allowed,
        can_deny: is_host && one.port > 0 && one.why != Some(Refusal::Denied),
        allowed,
        opened: said::times(one.opened),
        sent: said::bytes(one.up),
        fetched: said::bytes(one.down),
        by: one.by.as_ref().map(ToString::to_string).unwrap_or_default(),
        secrets: one.secrets.join(", "),
    }
}

/// What happened once happened then.
fn last(times: u64, ago: String) -> String {
    if times > 1 { format!("last {ago}") } else { ago }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_one_host_are_one_line_and_only_hosts_have_buttons() {
        let now = Timestamp(200_000_000);
        let one = |host: &str, day: i64, refused: u64, why: Refusal| Use {
            smartbox: "box_00000000000000000000".parse().unwrap(),
            day: Timestamp(day),
            host: host.into(),
            port: 443,
            opened: 0,
            up: 0,
            down: 0,
            refused,
            secrets: vec![],
            by: None,
            why: Some(why),
            last: Timestamp(day + 1),
        };
        let mut name = one("b.test", 86_400_000, 1, Refusal::NotListed);
        name.port = 0;
        let uses = vec![
            (name, false),
            (one("a.test", 86_400_000, 2, Refusal::NotListed), false),
            (one("<b>", 86_400_000, 1, Refusal::NotListed), false),
            (one("(others)", 86_400_000, 1, Refusal::NotListed), false),
            (one("10.0.0.1", 86_400_000, 1, Refusal::Private), false),
            (one("a.test", 0, 3, Refusal::Unreachable), false),
        ];
        let (refused, went) = lines(uses, now);
        let shown: Vec<_> =
            refused.iter().map(|l| (l.place.as_str(), l.times.as_str(), l.can_allow)).collect();
        assert_eq!((refused[0].host.as_str(), refused[0].port), ("b.test", 443));
        let wanted = [
            ("b.test (name)", "once", true),
            ("a.test", "5 times", true),
            ("<b>", "once", false),
            ("(others)", "once", false),
            ("10.0.0.1", "once", false),
        ];
        assert_eq!(shown, wanted);
        assert_eq!(refused[1].why, "no rule allows it", "the last reason, not the first");
        assert!(went.is_empty());
    }
}
