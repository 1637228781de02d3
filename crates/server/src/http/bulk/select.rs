//! Which boxes a bulk means, and how fast: it must be said in one way, so that nobody restarts all by a
//! slip.

use smartbox_api::bulk::Selector;
use smartbox_api::problem::Code;
use smartbox_control::Selection;
use smartbox_control::jobs::Pace;
use smartbox_core::smartbox::selector;

use crate::http::smartbox::wanted;
use crate::http::trouble::Trouble;

pub(super) fn selection(
    boxes: Option<Vec<String>>,
    like: Option<Selector>,
    all: bool,
) -> Result<Selection, Trouble> {
    match (boxes, like, all) {
        (Some(names), None, false) => Ok(Selection::Named(names)),
        (None, Some(like), false) => {
            let labels = wanted(like.label.as_deref())?;
            let selector = selector::Selector { kind: like.kind, labels, state: like.state };
            Ok(Selection::Like { account: like.account, selector })
        }
        (None, None, true) => {
            Ok(Selection::Like { account: None, selector: selector::Selector::default() })
        }
        _ => Err(Trouble::new(
            Code::BadRequest,
            "exactly one of `boxes`, `selector` and `all` says which smartboxes are meant",
            "`\"all\": true` means every one of the account",
        )),
    }
}

pub(super) fn pace(delay_ms: u64, concurrency: Option<u32>, stop_on_failure: bool) -> Pace {
    let usual = Pace::default();
    Pace { delay_ms, concurrency: concurrency.unwrap_or(usual.concurrency), stop_on_failure }
}
