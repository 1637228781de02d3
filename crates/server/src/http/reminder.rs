//! Where nobody needs a token to sign in, every page of the platform says so: those of today, and those that
//! are written tomorrow, since it is put in on the way out.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

/// Our pages are shorter.
const LONGEST: usize = 16 << 20;
/// What is said there.
pub(crate) const SAID: &str = "nobody needs a token to sign in here. Every person and every program on this \
                               machine can use these smartboxes.";

/// The same, with the words at its top if it is a page.
pub(super) async fn remind(response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !kind.is_some_and(|kind| kind.starts_with(b"text/html")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = match to_bytes(body, LONGEST).await {
        Ok(bytes) => {
            let words = format!(
                "<body><p class=\"dev\" role=\"alert\"><strong>DEV_MODE</strong>: {SAID}</p>"
            );
            String::from_utf8_lossy(&bytes).replacen("<body>", &words, 1)
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be read");
            String::new()
        }
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}
