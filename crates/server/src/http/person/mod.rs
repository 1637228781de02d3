//! People, for operators; and how they are named by everybody.

mod change;
mod create;
pub(super) mod list;

use smartbox_api::problem::Code;
use smartbox_core::person::Right;

use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::access::{Unfit, Whom};

const MADE: &[Code] = &[Code::Exists, Code::Refused];
const CHANGED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    use Policy::Operator;
    vec![
        Route::api(routes!(list::list), Operator(Right::Read), SMALL, &[]),
        Route::api(routes!(create::create), Operator(Right::Own), SMALL, MADE).gives(),
        Route::api(routes!(change::change), Operator(Right::Own), SMALL, CHANGED).gives(),
        Route::api(routes!(change::remove), Operator(Right::Own), SMALL, CHANGED),
    ]
}

/// Whom a path means: nobody, unless it is an id or an address.
pub(super) fn whom(text: &str) -> Result<Whom, Trouble> {
    Whom::parse(text).ok_or_else(|| Trouble::missing("person"))
}

impl From<Unfit> for Trouble {
    fn from(why: Unfit) -> Self {
        let (detail, hint) = match why {
            Unfit::LastOwner => (
                "you are the account's last owner, and nothing else opens it",
                "make somebody else an owner first, or an account's token that may `own`; the command \
                 line on the platform's own machine can do it all the same",
            ),
            Unfit::Oneself => (
                "nobody takes that from themselves",
                "ask another operator, or use the command line",
            ),
            Unfit::Many => ("200 people have it already", "remove somebody first"),
            Unfit::Several => {
                ("several people have that address", "name one by id: `smartbox people ls`")
            }
        };
        Self::new(Code::Refused, detail, hint)
    }
}
