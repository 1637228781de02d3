//! Whether a file arrived whose upload broke off: whole or not at all, and the platform knows which.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::problem::{Code, Exit};
use tokio::time::Instant;

use super::place::Place;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::out;

/// How long a platform that went away in the middle is waited for.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two attempts to reach it.
const PAUSE: Duration = Duration::from_millis(250);

/// Asks the platform, once it is back, and says what it found.
pub(super) async fn settle(
    client: &Client,
    to: &Place,
    digest: [u8; 32],
    broken: CliError,
) -> Result<(), CliError> {
    out::note("the connection broke; the platform is waited for to say what arrived");
    let given_up = Instant::now() + PATIENCE;
    let call = call::read_file(&to.name, &to.path);
    let found = loop {
        match client.download(&call).await {
            Err(error) if error.is_passing() && Instant::now() < given_up => {
                tokio::time::sleep(PAUSE).await;
            }
            other => break other,
        }
    };
    let to = out::line(&to.to_string());
    match found {
        Ok(there) if there.digest == Some(digest) => {
            out::note(format!("{to} arrived whole"));
            Ok(())
        }
        Ok(_) => Err(missed(format!("{to} did not arrive: it is what it was before"))),
        Err(CliError::Problem(problem)) if problem.known() == Some(Code::NotFound) => {
            Err(missed(format!("{to} did not arrive, and nothing of it stays")))
        }
        Err(_) => Err(broken),
    }
}

fn missed(what: String) -> CliError {
    CliError::Here { what, hint: "copy it again".into(), exit: Exit::Unreachable }
}
