//! A box that calls: over a well-behaved client, or byte by byte.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use smartbox_core::model::Caller;
use smartbox_core::model::port::ModelCalls as _;
use smartbox_core::sandbox::port::Conn;
use smartbox_core::secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use super::world::World;
use super::{KEY, TOKEN, soon};

/// What a box got back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, as far as it came.
    pub(crate) body: Bytes,
    /// Whether the body broke off.
    pub(crate) cut: bool,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A request as the engine makes it.
pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "127.0.0.1:1")
        .header("x-api-key", TOKEN)
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .header("user-agent", "undici")
        .header("traceparent", "00-abc-def-01")
        .body(Full::new(body.into()))
        .unwrap()
}

impl World {
    /// Opens a connection from the box; the task ends when the gateway is done with it.
    pub(crate) fn connect(&self) -> (DuplexStream, JoinHandle<()>) {
        let (near, far) = tokio::io::duplex(64 << 10);
        let caller = Caller {
            id: "box_00000000000000000001".parse().unwrap(),
            token: Secret::new(TOKEN.to_owned()),
            demo: self.demo_only,
        };
        let conn: Conn = Box::pin(far.compat());
        (near, tokio::spawn(self.gateway.serve(caller, conn)))
    }

    /// Makes a call and brings back the answer's head; the body is still to be read.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
    ) -> (http::Response<Incoming>, JoinHandle<()>) {
        let (near, _) = self.connect();
        let (mut send, connection) =
            soon(hyper::client::conn::http1::handshake(TokioIo::new(near))).await.unwrap();
        let task = tokio::spawn(async move {
            let _ = connection.await;
        });
        (soon(send.send_request(request)).await.unwrap(), task)
    }

    /// Makes a call and reads the whole answer, in which the key must not occur.
    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Answer {
        let (response, _) = self.open(request).await;
        let (head, mut body) = response.into_parts();
        let (mut all, mut cut) = (Vec::new(), false);
        while let Some(frame) = soon(body.frame()).await {
            match frame {
                Ok(frame) => all.extend_from_slice(&frame.into_data().unwrap()),
                Err(_) => {
                    cut = true;
                    break;
                }
            }
        }
        assert!(!String::from_utf8_lossy(&all).contains(KEY), "the key came back");
        assert!(!format!("{:?}", head.headers).contains(KEY), "the key came back");
        Answer { status: head.status, headers: head.headers, body: all.into(), cut }
    }

    /// Sends bytes and reads everything until the gateway closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let (near, _) = self.connect();
        let (mut read, mut write) = tokio::io::split(near);
        let mut all = Vec::new();
        // The gateway may close before it has read everything.
        let (_, _) =
            soon(async { tokio::join!(write.write_all(bytes), read.read_to_end(&mut all)) }).await;
        let all = String::from_utf8_lossy(&all).into_owned();
        assert!(!all.contains(KEY), "the key came back");
        all
    }
}

/// The next piece of a body that must come.
pub(crate) async fn piece(body: &mut Incoming) -> String {
    let frame = soon(body.frame()).await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}
