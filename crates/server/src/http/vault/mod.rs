//! The keys that the vault is under, for operators: which there are, and another one in their place.

mod get;
mod rotate;

use smartbox_api::problem::Code;
use smartbox_core::person::Right;
use smartbox_core::secret::RotationError;

use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;
use crate::config::vault::{MASTER_KEY, OLD_MASTER_KEY};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(get::get), Policy::Operator(Right::Read), SMALL, &[Code::Refused]),
        Route::api(routes!(rotate::rotate), Policy::Operator(Right::Own), SMALL, &[Code::Refused]),
    ]
}

/// Why it is not done. Nothing that was sealed is lost by any of it.
fn trouble(app: &App, error: RotationError) -> Trouble {
    match error {
        RotationError::NotOurs => {
            let why = format!(
                "the master key is not kept in a file of the platform's (`{}`), so the platform \
                 cannot change it",
                app.about.master_key
            );
            let hint = format!(
                "start `smartbox up` once with the new key in {MASTER_KEY} and the present one in \
                 {OLD_MASTER_KEY}"
            );
            Trouble::new(Code::Refused, why, hint)
        }
        RotationError::Key { source } => {
            tracing::warn!(error = %source, "the master key is not changed");
            let why = format!("the master key is not changed: {source}");
            Trouble::new(Code::Refused, why, "see to that and ask again; nothing is lost")
        }
        RotationError::Store(error) => error.into(),
    }
}
