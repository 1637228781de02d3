//! Checks an exported audit, with no platform at hand. Pure.

use std::io::BufRead;

use smartbox_api::audit::{AuditBegin, AuditEntry, AuditHead, AuditLine};
use smartbox_store::Given;

/// The longest line that is believed.
const MAX_LINE: u64 = 1 << 20;

/// What a good export says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where it begins.
    pub begin: AuditBegin,
    /// How many entries there are.
    pub entries: u64,
    /// The end that vouches for them.
    pub head: AuditHead,
}

/// Why an export is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum Unsound {
    /// It is no export, or not a whole one.
    #[error("line {line}: {why}")]
    Form {
        /// Which line.
        line: u64,
        /// For a person.
        why: &'static str,
    },
    /// It was tampered with.
    #[error("entry {seq} is not what the platform wrote there")]
    Bad {
        /// The first entry that is not as it was.
        seq: u64,
    },
    /// Somebody else signed it.
    #[error("it was signed by the key {key}")]
    Key {
        /// That key.
        key: String,
    },
    /// It could not be read.
    #[error("it cannot be read")]
    Read(#[from] std::io::Error),
}

/// Checks an export. Whose key signed it is for its reader to know: `key`, in hex, if they do.
pub fn verify(mut lines: impl BufRead, key: Option<&str>) -> Result<Verified, Unsound> {
    let mut number = 0;
    let Some(AuditLine::Begin(begin)) = next(&mut lines, &mut number)? else {
        return Err(Unsound::Form { line: 1, why: "an export begins with its account" });
    };
    if begin.version != 1 {
        return Err(Unsound::Form { line: 1, why: "a newer version wrote this" });
    }
    let mut given = Given::behind(begin.account.as_str(), begin.after, &begin.hash);
    let mut last = begin.after;
    loop {
        match next(&mut lines, &mut number)? {
            Some(AuditLine::Entry(entry)) => {
                last = last.saturating_add(1);
                if !good(&mut given, &begin, entry) {
                    return Err(Unsound::Bad { seq: last });
                }
            }
            Some(AuditLine::Head(head)) => {
                if next(&mut lines, &mut number)?.is_some() {
                    return Err(Unsound::Form { line: number, why: "something follows the end" });
                }
                let signer = head.key.clone();
                if key.is_some_and(|key| !key.trim().eq_ignore_ascii_case(&signer)) {
                    return Err(Unsound::Key { key: signer });
                }
                let entries = last - begin.after;
                return match given.finish(&head.clone().into()) {
                    Some(seq) => Err(Unsound::Bad { seq }),
                    None => Ok(Verified { begin, entries, head }),
                };
            }
            Some(AuditLine::Begin(_)) => {
                return Err(Unsound::Form { line: number, why: "it begins twice" });
            }
            None => return Err(Unsound::Form { line: number, why: "the signed end is missing" }),
        }
    }
}

fn good(given: &mut Given, begin: &AuditBegin, entry: AuditEntry) -> bool {
    entry.entry(&begin.account).is_some_and(|entry| given.entry(&entry))
}

fn next(lines: &mut impl BufRead, number: &mut u64) -> Result<Option<AuditLine>, Unsound> {
    let mut line = Vec::new();
    let mut bounded = std::io::Read::take(&mut *lines, MAX_LINE);
    if bounded.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    *number += 1;
    let bad = |_| Unsound::Form { line: *number, why: "this is no line of an audit" };
    serde_json::from_slice(&line).map(Some).map_err(bad)
}
