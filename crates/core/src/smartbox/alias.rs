//! Names that the original system gave to its containers; they find smartboxes here too.
//!
//! Both halves of `project-{name}-{account}` may hold a `-`, so one text may be read in several
//! ways. This says which; whoever looks them up refuses a text that fits two smartboxes.

use crate::smartbox::{Base, Smartbox};

/// The longest text that is looked at: the longest name, the longest account and a prefix.
const LONGEST: usize = 100;

/// One way to read an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias<'a> {
    /// The account that it names, by name or id.
    pub account: &'a str,
    /// Which of that account's smartboxes.
    pub which: Which<'a>,
}

/// Which smartbox of an account an alias means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// `openclaw-{account}`: its PA.
    Pa,
    /// `project-{name}-{account}`: its project of this name.
    Project(&'a str),
    /// `runtime-{account}`: its runtime.
    Runtime,
    /// `custom-{kind}-{account}`: its smartbox of this kind.
    Custom(&'a str),
}

impl Which<'_> {
    /// Whether this smartbox of the account is meant.
    pub fn fits(&self, row: &Smartbox) -> bool {
        match self {
            Self::Pa => row.base == Base::Pa,
            Self::Project(name) => row.base == Base::Project && row.name == *name,
            Self::Runtime => row.base == Base::Runtime,
            Self::Custom(kind) => row.kind.as_str() == *kind,
        }
    }
}

/// Every way to read this text; none if it is no alias.
pub fn readings(text: &str) -> Vec<Alias<'_>> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    if let Some(account) = text.strip_prefix("openclaw-") {
        return vec![Alias { account, which: Which::Pa }];
    }
    if let Some(account) = text.strip_prefix("runtime-") {
        return vec![Alias { account, which: Which::Runtime }];
    }
    if let Some(rest) = text.strip_prefix("project-") {
        return split(rest, Which::Project);
    }
    text.strip_prefix("custom-").map(|rest| split(rest, Which::Custom)).unwrap_or_default()
}

fn split<'a>(text: &'a str, which: fn(&'a str) -> Which<'a>) -> Vec<Alias<'a>> {
    text.match_indices('-')
        .map(|(at, _)| (&text[..at], &text[at + 1..]))
        .filter(|(first, account)| !first.is_empty() && !account.is_empty())
        .map(|(first, account)| Alias { account, which: which(first) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_the_original_is_read() {
        let one = |account, which| vec![Alias { account, which }];
        assert_eq!(readings("openclaw-ann"), one("ann", Which::Pa));
        assert_eq!(readings("openclaw-ann-b"), one("ann-b", Which::Pa));
        assert_eq!(readings("runtime-ann"), one("ann", Which::Runtime));
        assert_eq!(readings("project-site-ann"), one("ann", Which::Project("site")));
        let id = "acc_00000000000000000001";
        let text = format!("custom-research-{id}");
        assert_eq!(readings(&text), one(id, Which::Custom("research")));
    }

    #[test]
    fn a_text_with_several_readings_gives_them_all() {
        assert_eq!(
            readings("project-a-b-c"),
            [
                Alias { account: "b-c", which: Which::Project("a") },
                Alias { account: "c", which: Which::Project("a-b") },
            ]
        );
    }

    #[test]
    fn what_is_no_alias_has_no_reading() {
        for text in ["", "pa", "openclaw", "project-", "project-a", "project--a", "custom-a-", "-"]
        {
            assert_eq!(readings(text), [], "{text}");
        }
        assert_eq!(readings(&format!("openclaw-{}", "a".repeat(100))), []);
    }
}
