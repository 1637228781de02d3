//! Streams of server-sent events: something is said while nothing happens, so that nobody in between
//! gives up.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use smartbox_api::sse;

/// How long nothing happens before the client is told so.
const QUIET: Duration = Duration::from_secs(15);

/// A reply of events that are written as [`smartbox_api::sse`] writes them.
pub(super) fn events(written: impl Stream<Item = String> + Send + 'static) -> Response {
    let body = stream::unfold(Box::pin(written), |mut written| async move {
        let text = match tokio::time::timeout(QUIET, written.next()).await {
            Ok(next) => next?,
            Err(_) => sse::KEEP_ALIVE.to_owned(),
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), written))
    });
    ([(CONTENT_TYPE, sse::MEDIA_TYPE)], Body::from_stream(body)).into_response()
}
