//! The platform's end of the link.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::frame::Frame;
use crate::wire::{self, EngineOrder, ExecOrder, Refusal, Status};

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Init has seen a higher fencing token: someone else owns the box now.
    #[error("the sandbox belongs to a newer owner")]
    Fenced,
    /// Init refused.
    #[error("init refused: {0}")]
    Refused(String),
    /// Init's answer is too long or not understood.
    #[error("init's answer is not understood")]
    Garbled,
    /// It did not answer within the time that such a thing may take.
    #[error("init did not answer in time")]
    Late,
    /// The connection failed.
    #[error("the connection to init failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Bytes that init may send ahead on one stream, and on all of them together: the second is what
/// init's limit of streams can add up to, so that one that nobody reads holds up no other.
const STREAM_WINDOW: u32 = 256 << 10;
const LINK_WINDOW: u32 = 128 * STREAM_WINDOW;

/// How long anything may take that init does at once, its whole answer included: somebody holds a place
/// for it, at a start one that all boxes wait for. A disk that stalls takes seconds. What takes as long as
/// somebody's program does (a command, the engine's end) is timed by whoever asks.
const AT_ONCE: Duration = Duration::from_secs(30);

type Outgoing = BoxBody<Bytes, std::convert::Infallible>;

/// An open link. Cheap to clone; operations run side by side.
#[derive(Clone)]
pub struct Link {
    sender: http2::SendRequest<Outgoing>,
    fence: u64,
}

impl Link {
    /// Opens the link on a connection to init's listener, for a caller with this fencing token.
    pub async fn open(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        fence: u64,
    ) -> Result<Self, LinkError> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(LINK_WINDOW)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|e| LinkError::Broken(e.into()))?;
        tokio::spawn(connection);
        Ok(Self { sender, fence })
    }

    /// What init says of itself.
    pub async fn status(&self) -> Result<Status, LinkError> {
        at_once(self.json(Method::GET, wire::STATUS, empty())).await
    }

    /// Starts the engine; the same order twice is one start.
    pub async fn engine_start(&self, order: &EngineOrder) -> Result<Status, LinkError> {
        at_once(self.json(Method::PUT, wire::ENGINE, json_body(order)?)).await
    }

    /// Ends the engine: SIGTERM, `grace`, kill. Returns once it has ended.
    pub async fn engine_stop(&self, grace: Duration) -> Result<Status, LinkError> {
        let path = format!("{}?grace_ms={}", wire::ENGINE, grace.as_millis());
        self.json(Method::DELETE, &path, empty()).await
    }

    /// Reads a file of the home; `None` if it is absent.
    pub async fn read(&self, path: &str) -> Result<Option<Bytes>, LinkError> {
        at_once(async {
            let answer = self.send(Method::GET, &file_path(path, None), empty()).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            collect(accepted(answer).await?).await.map(Some)
        })
        .await
    }

    /// Writes a file of the home, whole or not at all. `mode` is its permission bits.
    pub async fn write(&self, path: &str, mode: u32, bytes: Bytes) -> Result<(), LinkError> {
        let (path, body) = (file_path(path, Some(mode)), Full::new(bytes).boxed());
        at_once(async { accepted(self.send(Method::PUT, &path, body).await?).await.map(drop) })
            .await
    }

    /// Runs a command. Dropping the [`Exec`] cancels and kills it.
    pub async fn exec(&self, order: ExecOrder) -> Result<Exec, LinkError> {
        let (input, frames) = mpsc::channel::<Frame>(8);
        let _ = input.send(Frame::Order(Box::new(order))).await;
        let body = StreamBody::new(Outbox(frames));
        let answer = self.send(Method::POST, wire::EXECS, BodyExt::boxed(body)).await?;
        let id =
            answer.headers().get(wire::EXEC_HEADER).and_then(|id| id.to_str().ok()?.parse().ok());
        let output = accepted(answer).await?;
        let cancel = Cancel { link: self.clone(), id };
        Ok(Exec { input, output, buffer: BytesMut::new(), cancel })
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Outgoing,
    ) -> Result<T, LinkError> {
        let answer = accepted(self.send(method, path, body).await?).await?;
        serde_json::from_slice(&collect(answer).await?).map_err(|_| LinkError::Garbled)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Outgoing,
    ) -> Result<Response<Incoming>, LinkError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://init{path}"))
            .header(wire::FENCE_HEADER, self.fence)
            .body(body)
            .map_err(|e| LinkError::Broken(e.into()))?;
        self.sender.clone().send_request(request).await.map_err(|e| LinkError::Broken(e.into()))
    }
}

/// A command that runs.
pub struct Exec {
    /// Where stdin, resizes and signals go. Dropping it ends standard input and cancels.
    pub input: mpsc::Sender<Frame>,
    output: Incoming,
    buffer: BytesMut,
    cancel: Cancel,
}

/// Tells init when a command is dropped before its end. The end of its streams alone may not arrive:
/// a request that flow control holds back cannot be ended.
struct Cancel {
    link: Link,
    id: Option<u64>,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let link = self.link.clone();
        runtime.spawn(async move {
            // If it fails, the link is broken, which cancels as well.
            let _ = link.send(Method::DELETE, &format!("{}?id={id}", wire::EXECS), empty()).await;
        });
    }
}

impl Exec {
    /// The next frame that init sends; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Frame>, LinkError> {
        loop {
            if let Some(frame) = Frame::decode(&mut self.buffer).map_err(|_| LinkError::Garbled)? {
                if matches!(frame, Frame::Exit(_) | Frame::Failed(_)) {
                    self.cancel.id = None;
                }
                return Ok(Some(frame));
            }
            match self.output.frame().await {
                None => return Ok(None),
                Some(Err(e)) => return Err(LinkError::Broken(e.into())),
                Some(Ok(part)) => {
                    if let Ok(data) = part.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

struct Outbox(mpsc::Receiver<Frame>);

impl Stream for Outbox {
    type Item = Result<hyper::body::Frame<Bytes>, std::convert::Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|frame| {
            frame.map(|frame| {
                let mut out = BytesMut::new();
                frame.encode(&mut out);
                Ok(hyper::body::Frame::data(out.freeze()))
            })
        })
    }
}

async fn at_once<T>(work: impl Future<Output = Result<T, LinkError>>) -> Result<T, LinkError> {
    tokio::time::timeout(AT_ONCE, work).await.unwrap_or(Err(LinkError::Late))
}

fn empty() -> Outgoing {
    Full::new(Bytes::new()).boxed()
}

fn json_body(value: &impl Serialize) -> Result<Outgoing, LinkError> {
    let bytes = serde_json::to_vec(value).map_err(|e| LinkError::Broken(e.into()))?;
    Ok(Full::new(Bytes::from(bytes)).boxed())
}

fn file_path(path: &str, mode: Option<u32>) -> String {
    let mut out = format!("{}?path=", wire::FILES);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    if let Some(mode) = mode {
        out.push_str(&format!("&mode={mode:o}"));
    }
    out
}

async fn accepted(answer: Response<Incoming>) -> Result<Incoming, LinkError> {
    let status = answer.status();
    let body = answer.into_body();
    if status.is_success() {
        return Ok(body);
    }
    if status == StatusCode::CONFLICT {
        return Err(LinkError::Fenced);
    }
    let refusal: Refusal =
        serde_json::from_slice(&collect(body).await?).map_err(|_| LinkError::Garbled)?;
    Err(LinkError::Refused(refusal.message))
}

async fn collect(body: impl Body<Data = Bytes, Error = hyper::Error>) -> Result<Bytes, LinkError> {
    let whole = Limited::new(body, wire::MAX_ANSWER).collect().await.map_err(|e| {
        if e.is::<http_body_util::LengthLimitError>() {
            LinkError::Garbled
        } else {
            LinkError::Broken(e)
        }
    })?;
    Ok(whole.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use hyper::server::conn::http2 as server;
    use hyper::service::service_fn;
    use tokio::io::DuplexStream;

    fn order() -> EngineOrder {
        serde_json::from_value(
            serde_json::json!({ "argv": ["true"], "env": {}, "cwd": "/", "final_codes": [] }),
        )
        .unwrap()
    }

    /// Every operation that is done at once ends, whatever this end of the link does.
    async fn ends<W>(play: impl Fn(DuplexStream) -> W)
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(play(far));
        let link = Link::open(near, 1).await.unwrap();
        assert!(matches!(link.read("a").await, Err(LinkError::Late)));
        assert!(matches!(
            link.write("a", 0o600, Bytes::from_static(b"x")).await,
            Err(LinkError::Late)
        ));
        assert!(matches!(link.status().await, Err(LinkError::Late)));
        assert!(matches!(link.engine_start(&order()).await, Err(LinkError::Late)));
    }

    /// A body of which a byte comes now and then, for ever.
    struct Drip(tokio::time::Interval);

    impl Body for Drip {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
            self.0
                .poll_tick(cx)
                .map(|_| Some(Ok(hyper::body::Frame::data(Bytes::from_static(b" ")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_init_that_is_stuck_or_drips_holds_nobody_for_long() {
        ends(|io| async move {
            let _io = io;
            std::future::pending::<()>().await;
        })
        .await;
        // It takes the request and never answers, as one that waits for its disk.
        ends(|io| async move {
            let never = service_fn(|_| async {
                std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
            });
            let served = server::Builder::new(TokioExecutor::new());
            let _ = served.serve_connection(TokioIo::new(io), never).await;
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_drips_ends_too() {
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let drips = service_fn(|_| async {
                let every = tokio::time::interval(Duration::from_secs(1));
                Ok::<_, Infallible>(Response::new(Drip(every)))
            });
            let served = server::Builder::new(TokioExecutor::new());
            let _ = served.serve_connection(TokioIo::new(far), drips).await;
        });
        let link = Link::open(near, 1).await.unwrap();
        assert!(matches!(link.read("a").await, Err(LinkError::Late)));
        assert!(matches!(link.status().await, Err(LinkError::Late)));
        assert!(matches!(link.engine_start(&order()).await, Err(LinkError::Late)));
    }
}
