//! Which smartboxes are meant by what they are like.

use crate::kind::Kind;
use crate::labels::Labels;
use crate::smartbox::{Smartbox, State};

/// What a smartbox must be like. What is absent does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With every one of these labels.
    pub labels: Labels,
    /// In this state.
    pub state: Option<State>,
}

impl Selector {
    /// Whether it means this one.
    pub fn fits(&self, row: &Smartbox) -> bool {
        self.kind.as_ref().is_none_or(|kind| row.kind == *kind)
            && self.state.is_none_or(|state| row.state == state)
            && row.labels.match_all(&self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn labels(value: &str) -> Labels {
        Labels::default().changed([("team".to_owned(), Some(value.to_owned()))]).unwrap()
    }

    #[test]
    fn all_that_is_said_must_fit() {
        let id = "box_00000000000000000001".parse().unwrap();
        let account = "acc_00000000000000000001".parse().unwrap();
        let blank = Smartbox::new(id, account, "web".into(), Timestamp(0));
        let row = Smartbox { kind: Kind::PROJECT, labels: labels("web"), ..blank };
        let by = |team: &str| Selector { labels: labels(team), ..Selector::default() };
        for (selector, fits) in [
            (Selector::default(), true),
            (by("web"), true),
            (by("we"), false),
            (Selector { kind: Some(Kind::PA), ..by("web") }, false),
            (Selector { kind: Some(Kind::PROJECT), state: Some(row.state), ..by("web") }, true),
            (Selector { state: Some(State::Failed), ..by("web") }, false),
        ] {
            assert_eq!(selector.fits(&row), fits, "{selector:?}");
        }
    }
}
