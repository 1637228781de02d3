//! The decision.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Host, HostName, Policy, Rule, Source};
use crate::time::Timestamp;

/// Why something may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Who allows it.
    pub source: Source,
    /// By which entry; empty for a data file's.
    pub entry: String,
    /// The entry is for one connection, and this is it: it must be used up.
    pub once: bool,
    /// Each request must be asked about: what carries them must be opened.
    pub look_inside: bool,
}

/// Why something may not leave. Each has its own advice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schema(as = EgressRefusal)]
pub enum Refusal {
    /// No rule allows it.
    NotListed,
    /// A rule allows the host, at other ports.
    Port,
    /// A rule allows the host, but not this method or path.
    Request,
    /// A rule refuses it.
    Denied,
    /// It is no host that can be reached from a box: an odd spelling, a private name.
    Host,
    /// Its address is not on the public internet, or is the platform's own.
    Private,
    /// Its name has no address.
    Unresolved,
    /// It did not answer.
    Unreachable,
    /// Two parts of the request name different hosts.
    Mismatch,
    /// A secret's stand-in would leave towards where that secret does not belong.
    Secret,
    /// The program in the box does not trust the box's own certificate authority, by which its TLS would be opened.
    Untrusted,
    /// More connections than a box may have at once.
    Limit,
    /// More new connections and requests than a box may make in a minute.
    Rate,
    /// More bytes than a box may send or fetch in a day.
    Volume,
    /// It is no request that the broker serves.
    Malformed,
}

crate::words! {
    Refusal {
        NotListed = "not-listed", Port = "port", Request = "request", Denied = "denied",
        Host = "host", Private = "private", Unresolved = "unresolved",
        Unreachable = "unreachable", Mismatch = "mismatch", Secret = "secret", Untrusted = "untrusted", Limit = "limit",
        Rate = "rate", Volume = "volume",
        Malformed = "malformed",
    }
}

/// The answer.
pub type Decision = Result<Allowed, Refusal>;

/// What is asked of a host, where that is seen.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path as sent, without its query.
    pub path: &'a str,
}

/// Whether a box may connect to a host at a port. Refusing rules come first, rules for good before
/// those for once, and rules that look inside last: what is allowed whole need not be opened.
pub fn decide(policy: &Policy, host: &Host, port: u16, now: Timestamp) -> Decision {
    // A rule that refuses some requests only must not refuse the others.
    let denied = |rule: &Rule| !rule.looks_inside() && rule.means(host, port);
    if policy.refusing().any(|(_, rule)| denied(rule)) {
        return Err(Refusal::Denied);
    }
    let partly = policy.refusing().any(|(_, rule)| rule.means(host, port));
    let best = policy
        .allowing()
        .filter(|(_, entry)| entry.holds(now) && entry.rule.means(host, port))
        .min_by_key(|(_, entry)| (entry.rule.looks_inside(), entry.once));
    match best {
        Some((source, entry)) => Ok(allowed(source, entry, partly)),
        None => Err(unlisted(policy, host, now)),
    }
}

/// Whether a box may make this request to a host at a port.
pub fn decide_request(
    policy: &Policy,
    host: &Host,
    port: u16,
    request: Request<'_>,
    now: Timestamp,
) -> Decision {
    let Request { method, path } = request;
    // A path that can be read in two ways matches no pattern; a rule that refuses must not be passed
    // by writing such a path.
    let denied = |rule: &Rule| {
        rule.means(host, port)
            && (rule.methods.is_empty() || rule.methods.iter().any(|one| one == method))
            && (rule.paths.is_empty()
                || rule.paths.iter().any(|one| one.matches(path))
                || !super::pattern::plain(path))
    };
    if policy.refusing().any(|(_, rule)| denied(rule)) {
        return Err(Refusal::Denied);
    }
    let holding =
        || policy.allowing().filter(|(_, entry)| entry.holds(now) && entry.rule.means(host, port));
    let best = holding()
        .filter(|(_, entry)| entry.rule.means_request(method, path))
        .min_by_key(|(_, entry)| entry.once);
    match best {
        Some((source, entry)) => {
            Ok(Allowed { look_inside: false, ..allowed(source, entry, false) })
        }
        None if holding().next().is_some() => Err(Refusal::Request),
        None => Err(unlisted(policy, host, now)),
    }
}

/// Whether a box may connect to a host of this name at any port. Refused in the same words as a connection.
pub fn decide_name(policy: &Policy, name: &HostName, now: Timestamp) -> Result<(), Refusal> {
    let host = Host::Name(name.clone());
    let meant = || {
        policy.allowing().filter(|(_, entry)| entry.holds(now) && entry.rule.host.matches(&host))
    };
    let open = |port: &u16| decide(policy, &host, *port, now).is_ok();
    if meant().flat_map(|(_, entry)| entry.rule.ports()).any(open) {
        return Ok(());
    }
    let denied = |rule: &Rule| !rule.looks_inside() && rule.host.matches(&host);
    let denied = policy.refusing().any(|(_, rule)| denied(rule));
    Err(if denied { Refusal::Denied } else { Refusal::NotListed })
}

fn allowed(source: Source, entry: &Entry, partly: bool) -> Allowed {
    Allowed {
        source,
        entry: entry.id.clone(),
        once: entry.once,
        look_inside: entry.rule.looks_inside() || partly,
    }
}

fn unlisted(policy: &Policy, host: &Host, now: Timestamp) -> Refusal {
    let elsewhere =
        policy.allowing().any(|(_, entry)| entry.holds(now) && entry.rule.host.matches(host));
    if elsewhere { Refusal::Port } else { Refusal::NotListed }
}

#[cfg(test)]
mod tests;
