//! Names and host labels.

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Empty, too long, or with characters that a host label cannot have.
    #[error(
        "`{0}` is not a name; use 1 to 40 of a-z, 0-9 and -, beginning with a letter and not ending with -"
    )]
    Shape(String),
    /// Kept for the platform.
    #[error("`{0}` is kept for the platform; choose another name")]
    Reserved(String),
}

const RESERVED: [&str; 8] =
    ["www", "api", "admin", "login", "smartbox", "localhost", "static", "edge"];

/// Checks that `name` can be a smartbox's name and, as it is, a DNS label (RFC 1123 §2.1).
pub fn check(name: &str) -> Result<(), BadName> {
    let good = (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.starts_with("xn--");
    if !good {
        return Err(BadName::Shape(name.chars().take(64).collect()));
    }
    if RESERVED.contains(&name) {
        return Err(BadName::Reserved(name.to_owned()));
    }
    Ok(())
}

/// Looks for a free host label by asking about one after another: the name, then name and account,
/// then the name with a number. Numbers are doubled and then halved towards, so that the thousandth
/// box of a name costs ten questions more than the first, not a thousand.
#[derive(Debug)]
pub struct Search<'a> {
    name: &'a str,
    account: &'a str,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Plain,
    WithAccount,
    /// Every number that was asked for below `at` was taken.
    Doubling {
        at: u32,
    },
    /// `low` is taken, `high` is free.
    Halving {
        low: u32,
        high: u32,
    },
}

impl<'a> Search<'a> {
    /// For a box of this name in the account of this name.
    pub fn new(name: &'a str, account: &'a str) -> Self {
        Self { name, account, stage: Stage::Plain }
    }

    /// The label to ask about.
    pub fn asks(&self) -> String {
        match self.stage {
            Stage::Plain => self.name.to_owned(),
            Stage::WithAccount => format!("{}-{}", self.name, self.account),
            Stage::Doubling { at } => self.numbered(at),
            Stage::Halving { low, high } => self.numbered(low + (high - low) / 2),
        }
    }

    /// Takes the answer. The label, once it is found.
    pub fn heard(&mut self, taken: bool) -> Option<String> {
        self.stage = match (self.stage, taken) {
            (Stage::Plain | Stage::WithAccount, false) => return Some(self.asks()),
            (Stage::Plain, true) if check(&format!("{}-{}", self.name, self.account)).is_ok() => {
                Stage::WithAccount
            }
            (Stage::Plain | Stage::WithAccount, true) => Stage::Doubling { at: 2 },
            (Stage::Doubling { at }, true) => Stage::Doubling { at: at.saturating_mul(2) },
            (Stage::Doubling { at }, false) => Stage::Halving { low: at / 2, high: at },
            (Stage::Halving { low, high }, taken) => {
                let middle = low + (high - low) / 2;
                if taken {
                    Stage::Halving { low: middle, high }
                } else {
                    Stage::Halving { low, high: middle }
                }
            }
        };
        match self.stage {
            Stage::Halving { low, high } if high - low <= 1 => Some(self.numbered(high)),
            _ => None,
        }
    }

    fn numbered(&self, number: u32) -> String {
        format!("{}-{number}", &self.name[..self.name.len().min(50)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_labels() {
        for good in ["pa", "a", "my-project-2"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "1a", "a_b", "../x", "xn--a", &"a".repeat(41)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check("api"), Err(BadName::Reserved("api".into())));
    }

    /// The label that is found, and how many questions that took.
    fn find(account: &str, taken: impl Fn(&str) -> bool) -> (String, usize) {
        let mut search = Search::new("pa", account);
        for asked in 1.. {
            if let Some(label) = search.heard(taken(&search.asks())) {
                return (label, asked);
            }
        }
        unreachable!("a free label was found")
    }

    #[test]
    fn a_taken_label_gets_the_account_then_a_number() {
        assert_eq!(find("ann", |_| false), ("pa".into(), 1));
        assert_eq!(find("ann", |l| l == "pa"), ("pa-ann".into(), 2));
        assert_eq!(find("ann", |l| l == "pa" || l == "pa-ann").0, "pa-2");
        // An account whose name makes no label of it is passed over.
        assert_eq!(find(&"a".repeat(40), |l| l == "pa").0, "pa-2");
    }

    #[test]
    fn the_thousandth_box_of_a_name_takes_a_few_questions() {
        let mut taken = std::collections::HashSet::new();
        for n in 0..1000 {
            let (label, asked) = find("ann", |label| taken.contains(label));
            assert!(asked <= 24, "{asked} questions for the box number {n}");
            assert!(taken.insert(label), "a label was given twice");
        }
        // With holes it is still a free one.
        taken.retain(|label| !label.ends_with('7'));
        assert!(taken.insert(find("ann", |label| taken.contains(label)).0));
    }
}
