//! One GET over one connection.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::Dial;
use tokio::time::timeout;

use super::{dial, garbled, silent};

/// A probe's answer is a few hundred bytes.
const MAX_BODY: usize = 64 << 10;
/// An engine that starts blocks its one thread for seconds.
const ANSWER: Duration = Duration::from_secs(5);

/// Asks for a path without saying who asks.
pub(crate) async fn get(
    over: &dyn Dial,
    port: u16,
    path: &'static str,
) -> Result<(StatusCode, Bytes), EngineError> {
    let conn = dial(over, port).await?;
    match timeout(ANSWER, exchange(conn, path)).await {
        Ok(answer) => answer,
        Err(_) => Err(silent("it takes connections and does not answer")),
    }
}

async fn exchange(
    conn: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    path: &'static str,
) -> Result<(StatusCode, Bytes), EngineError> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(conn))
        .await
        .map_err(|_| EngineError::Interrupted)?;
    let request = Request::get(path)
        .header("host", "127.0.0.1")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|e| garbled(e.to_string()))?;
    let ask = async {
        let answer = sender.send_request(request).await.map_err(|_| EngineError::Interrupted)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_BODY).collect().await;
        let body = body.map_err(|_| garbled("a probe's answer is cut off or too long"))?;
        Ok((status, body.to_bytes()))
    };
    // The connection is driven here and not in a task, so that it ends with the caller.
    let mut ask = std::pin::pin!(ask);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        biased;
        answer = &mut ask => answer,
        _ = &mut connection => ask.await,
    }
}
