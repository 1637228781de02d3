//! Which names that were refused are told apart in the account. A program that asks for a million names
//! (to carry something out by them, which they do not) must not fill it, nor take the place of the
//! hosts that its owner wants to see.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use smartbox_core::egress::day;
use smartbox_core::id::SmartboxId;
use smartbox_core::time::Timestamp;

/// Names of one box and day.
const NAMES: usize = 200;
/// Of these, beneath the same two last parts, like `example.com`. Then they are told together.
const BENEATH: usize = 16;
/// Names of one box and day that are told together.
const TOGETHER: usize = 50;
/// What stands for the rest.
const OTHERS: &str = "(other names)";
/// The longest name.
const LONGEST: usize = 253;

/// What was told today.
#[derive(Default)]
pub(crate) struct Told(Mutex<(Timestamp, HashMap<SmartboxId, Names>)>);

#[derive(Default)]
struct Names {
    apart: BTreeSet<String>,
    beneath: HashMap<String, usize>,
    together: BTreeSet<String>,
}

impl Told {
    /// Under which name a refused one is written down.
    pub(super) fn tell(&self, id: &SmartboxId, name: &str, now: Timestamp) -> String {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.0 != day(now) {
            *told = (day(now), HashMap::new());
        }
        told.1.entry(id.clone()).or_default().tell(&printable(name))
    }
}

impl Names {
    fn tell(&mut self, name: &str) -> String {
        if self.apart.contains(name) {
            return name.to_owned();
        }
        let above = above(name);
        let beneath = self.beneath.get(above).copied().unwrap_or(0);
        if self.apart.len() < NAMES && beneath < BENEATH {
            self.beneath.insert(above.to_owned(), beneath + 1);
            self.apart.insert(name.to_owned());
            return name.to_owned();
        }
        let all = format!("*.{above}");
        if self.together.contains(&all) {
            all
        } else if self.together.len() < TOGETHER {
            self.together.insert(all.clone());
            all
        } else {
            OTHERS.to_owned()
        }
    }
}

/// Its last two parts.
fn above(name: &str) -> &str {
    let dot = name.rmatch_indices('.').nth(1);
    dot.map_or(name, |(at, _)| &name[at + 1..])
}

/// As it can be shown: what a box says must not drive a terminal.
fn printable(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    let tail = name.len().saturating_sub(LONGEST);
    name.bytes()
        .skip(tail)
        .map(|b| if b.is_ascii_graphic() { char::from(b.to_ascii_lowercase()) } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> SmartboxId {
        "box_00000000000000000000".parse().unwrap()
    }

    #[test]
    fn a_million_names_are_a_few_rows() {
        let told = Told::default();
        let tell = |name: &str| told.tell(&id(), name, Timestamp(0));
        let mut rows = BTreeSet::new();
        for n in 0..1_000 {
            rows.insert(tell(&format!("{n}.data.evil.example")));
        }
        assert_eq!(rows.len(), BENEATH + 1);
        assert!(rows.contains("*.evil.example"));
        assert_eq!(tell("good.example"), "good.example", "others are told apart all the same");
        for n in 0..1_000 {
            rows.insert(tell(&format!("{n}.example")));
        }
        for n in 0..1_000 {
            rows.insert(tell(&format!("a.b{n}.example")));
        }
        assert!(rows.len() <= NAMES + TOGETHER + 1, "{}", rows.len());
        assert!(rows.contains(OTHERS));
        assert_eq!(tell("good.example"), "good.example");
        assert_eq!(told.tell(&id(), "late.example", Timestamp(86_400_000)), "late.example");
    }

    #[test]
    fn what_is_shown_is_printable_and_short() {
        let told = Told::default();
        let shown = told.tell(
            &id(),
            &format!("{}\u{1b}[1m Ä.EVIL.example.", "x".repeat(400)),
            Timestamp(0),
        );
        assert!(shown.len() <= LONGEST && shown.ends_with(".evil.example"), "{shown}");
        assert!(shown.bytes().all(|b| b.is_ascii_graphic()));
    }
}
