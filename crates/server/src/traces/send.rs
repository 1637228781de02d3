//! The way to the collector: the same TLS as towards providers, and the platform's own runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

/// Bytes of a collector's answer at the most; it says how many spans it did not want.
const LONGEST: usize = 64 << 10;

/// Sends requests on a runtime, for a thread that has none.
pub(super) struct Sender {
    client: Client,
    runtime: Handle,
}

// Headers may hold the collector's token.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    pub(super) fn new(runtime: Handle, patience: Duration) -> Result<Self, String> {
        smartbox_ai_gateway::install_crypto();
        let tls = smartbox_ai_gateway::client_config().map_err(|error| error.to_string())?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .timeout(patience)
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, runtime })
    }
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Sender {
    fn send_bytes<'this, 'sent>(&'this self, request: Request<Bytes>) -> Sent<'sent>
    where
        'this: 'sent,
        Self: 'sent,
    {
        let client = self.client.clone();
        let task = self.runtime.spawn(async move { send(&client, request).await });
        Box::pin(async move { task.await? })
    }
}

async fn send(client: &Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let request = reqwest::Request::try_from(request).map_err(reqwest::Error::without_url)?;
    let mut answer = client.execute(request).await.map_err(reqwest::Error::without_url)?;
    let mut bare = Response::new(());
    *bare.status_mut() = answer.status();
    std::mem::swap(bare.headers_mut(), answer.headers_mut());
    let mut body = BytesMut::new();
    while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + piece.len() > LONGEST {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(bare.map(|()| body.freeze()))
}
