//! Questions to issuers: bounded, never redirected, never longer than somebody waits.

use std::error::Error;
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use openidconnect::AsyncHttpClient;
use reqwest::{Client, Url, redirect};
use serde::de::DeserializeOwned;
use smartbox_core::BoxFuture;

/// Bytes of an answer at the most: a key set has a few thousand.
const LONGEST: usize = 256 << 10;
const CONNECT: Duration = Duration::from_secs(5);

/// An issuer gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub(crate) String);

impl Fault {
    /// Another reason why no issuer can be asked.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The client that issuers are asked by.
#[derive(Clone)]
pub struct Http {
    client: Client,
}

impl Http {
    /// Trusts whom `tls` trusts, and waits for a whole answer for `patience`.
    pub fn new(tls: rustls::ClientConfig, patience: Duration) -> Result<Self, Fault> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            // An issuer that moved says so in its discovery; a redirect would choose whom we believe.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT.min(patience))
            .timeout(patience)
            .no_proxy()
            .build()
            .map_err(|error| Fault(chain(&error)))?;
        Ok(Self { client })
    }

    /// A document of an issuer, perhaps with a token that shows who asks.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&str>,
    ) -> Result<T, Fault> {
        let mut request = Request::get(url.as_str()).header(header::ACCEPT, "application/json");
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let request = request.body(Vec::new()).map_err(|error| Fault(chain(&error)))?;
        let answer = self.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(Fault(format!("{} answered {}", place(url), answer.status())));
        }
        serde_json::from_slice(answer.body())
            .map_err(|error| Fault(format!("what {} answered cannot be read: {error}", place(url))))
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Fault> {
        let request = reqwest::Request::try_from(request).map_err(|error| lost(None, error))?;
        let url = request.url().clone();
        let mut answer =
            self.client.execute(request).await.map_err(|error| lost(Some(&url), error))?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| lost(Some(&url), error))? {
            if body.len() + part.len() > LONGEST {
                let most = LONGEST >> 10;
                return Err(Fault(format!("{} answered more than {most} KiB", place(&url))));
            }
            body.extend_from_slice(&part);
        }
        let mut whole = Response::new(body);
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(whole)
    }
}

impl<'client> AsyncHttpClient<'client> for Http {
    type Error = Fault;
    type Future = BoxFuture<'client, Result<Response<Vec<u8>>, Fault>>;

    fn call(&'client self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// An address as a message shows it: without a query, which may hold anything.
fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn lost(url: Option<&Url>, error: reqwest::Error) -> Fault {
    let place = url.map_or_else(|| "it".to_owned(), place);
    if error.is_timeout() {
        return Fault(format!("{place} did not answer in time"));
    }
    Fault(format!("{place} cannot be asked: {}", chain(&error.without_url())))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
