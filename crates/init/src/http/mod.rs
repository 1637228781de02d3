//! The link's door: HTTP/2 on the inherited listener, several connections at once.

mod answer;
mod body;
mod engine;
mod execs;
mod files;
mod query;
mod route;

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::state::State;

/// Connections at once.
const MOST: usize = 64;
/// Requests at once on a connection.
const STREAMS: u32 = 128;
/// Bytes that a caller may send ahead on one request, and on all of them together: one that nobody
/// reads (a command that does not read its input) holds up no other.
const STREAM_WINDOW: u32 = 256 << 10;
const WINDOW: u32 = STREAMS * STREAM_WINDOW;
/// The longest list of headers.
const HEADERS: u32 = 16 << 10;

/// Serves the link for init's life.
pub(crate) async fn serve(state: Arc<State>, door: UnixListener) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = door.accept().await else {
            // Out of descriptors: some come back when a connection ends.
            let _ = timeout(Duration::from_millis(100), std::future::pending::<()>()).await;
            continue;
        };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| route::route(Arc::clone(&state), request));
            let _ = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(HEADERS)
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(WINDOW)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(place);
        });
    }
}
