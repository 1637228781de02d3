//! A small form, read whole within a limit of size and time.

use std::time::Duration;

use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};

use crate::asked::Asked;
use crate::problem::Refusal;

const BYTES: usize = 8 * 1024;
const TIME: Duration = Duration::from_secs(10);

pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) async fn read(body: Asked) -> Result<Self, Refusal> {
        let bad = |status, message| Refusal::new(status, "bad-form", message, "Try again.");
        let read = tokio::time::timeout(TIME, Limited::new(body, BYTES).collect()).await;
        let bytes = read
            .map_err(|_| bad(StatusCode::REQUEST_TIMEOUT, "The form did not arrive in time."))?
            .map_err(|_| bad(StatusCode::BAD_REQUEST, "The form is too long or broke off."))?
            .to_bytes();
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}
