//! Requests and replies that are read whole.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use smartbox_api::call::{Call, Json, Nothing, Reply};
use smartbox_api::dpop;
use smartbox_api::paths::ACCOUNT_HEADER;
use smartbox_api::problem::{self, Code, Problem};
use tokio::time::timeout;

use super::connect::Outgoing;
use super::{Client, Reach};
use crate::error::CliError;

const MAX_ANSWER: usize = 32 << 20;
/// How long a platform that has nothing to wait for may think.
const THINK: Duration = Duration::from_secs(60);

impl Client {
    /// Performs a call that is answered with JSON.
    pub(crate) async fn json<T>(&self, call: Call<Json<T>>) -> Result<T, CliError>
    where
        T: DeserializeOwned,
    {
        self.json_within(call, Duration::ZERO).await
    }

    /// The same, for a call that the platform was told to hold back for so long.
    pub(crate) async fn json_within<T>(
        &self,
        call: Call<Json<T>>,
        held: Duration,
    ) -> Result<T, CliError>
    where
        T: DeserializeOwned,
    {
        let work = async {
            let bytes = whole(self.send(&call, None).await?).await?;
            serde_json::from_slice(&bytes).map_err(|e| CliError::Garbled(e.to_string()))
        };
        patiently(held, work).await
    }

    /// Performs a call that is answered with nothing but success.
    pub(crate) async fn nothing(&self, call: Call<Nothing>) -> Result<(), CliError> {
        let work = async { whole(self.send(&call, None).await?).await.map(drop) };
        patiently(Duration::ZERO, work).await
    }

    /// Sends a request; what is not a success is an error. `body` is for calls that stream one.
    pub(super) async fn send<R: Reply>(
        &self,
        call: &Call<R>,
        body: Option<(&str, Outgoing)>,
    ) -> Result<Response<Incoming>, CliError> {
        self.send_with(call, &[], body).await
    }

    /// The same, with more headers.
    pub(super) async fn send_with<R: Reply>(
        &self,
        call: &Call<R>,
        headers: &[(header::HeaderName, String)],
        body: Option<(&str, Outgoing)>,
    ) -> Result<Response<Incoming>, CliError> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(&call.path)
            .header(header::HOST, self.host())
            .header(header::ACCEPT, call.accept())
            .header(header::USER_AGENT, concat!("smartbox/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(token) = self.token() {
            let scheme = if self.key().is_some() { dpop::SCHEME } else { "Bearer" };
            let mut value = http::HeaderValue::try_from(format!("{scheme} {}", token.expose()))
                .map_err(|_| {
                    let hint = "give the token as it was printed, on one line";
                    CliError::usage("SMARTBOX_TOKEN is not a token", hint)
                })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
            if let Some(key) = self.key() {
                let address = self.address(&call.path);
                let proof = key.proof(call.method, &address, Some(token.expose()), None);
                request = request.header(dpop::HEADER, proof);
            }
        }
        if let Some(account) = self.account() {
            let value = http::HeaderValue::try_from(account).map_err(|_| {
                CliError::usage("that is not an account", "give its name or its id")
            })?;
            request = request.header(ACCOUNT_HEADER, value);
        }
        if let Some(tag) = &call.if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let (media, body) = match (body, &call.body) {
            (Some((media, body)), _) => (Some(media), body),
            (None, Some(json)) => (Some("application/json"), full(json.clone())),
            (None, None) => (None, full(Vec::new())),
        };
        if let Some(media) = media {
            request = request.header(header::CONTENT_TYPE, media);
        }
        let request = request.body(body).map_err(|e| CliError::Garbled(e.to_string()))?;
        let mut sender = self.connect().await?;
        let reply = sender.send_request(request).await.map_err(|e| self.broken(e))?;
        if reply.status().is_success() {
            return Ok(reply);
        }
        Err(match self.forgot_tls(&reply) {
            Some(error) => error,
            None => self.refusal(reply).await,
        })
    }

    /// Sends a form with a proof of our key; its reply, whatever its status. For what OAuth asks.
    pub(crate) async fn form(
        &self,
        path: &str,
        form: &impl serde::Serialize,
        nonce: Option<&str>,
    ) -> Result<(u16, Bytes), CliError> {
        let body = serde_urlencoded::to_string(form).unwrap_or_default();
        let mut request = Request::builder()
            .method("POST")
            .uri(path)
            .header(header::HOST, self.host())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(key) = self.key() {
            let proof = key.proof("POST", &self.address(path), None, nonce);
            request = request.header(dpop::HEADER, proof);
        }
        let request =
            request.body(full(body.into())).map_err(|e| CliError::Garbled(e.to_string()))?;
        let work = async {
            let mut sender = self.connect().await?;
            let reply = sender.send_request(request).await;
            let reply = reply.map_err(|e| self.broken(e))?;
            if let Some(error) = self.forgot_tls(&reply) {
                return Err(error);
            }
            Ok((reply.status().as_u16(), whole(reply).await?))
        };
        patiently(Duration::ZERO, work).await
    }

    /// What a proof says of where a request goes.
    fn address(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let scheme =
            if matches!(self.reach(), Reach::Tcp { tls: true, .. }) { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.host())
    }

    /// As browsers write it, or a proxy would correct it and a proof be for another address.
    pub(super) fn host(&self) -> String {
        match self.reach() {
            Reach::Socket(_) => "localhost".into(),
            tcp @ Reach::Tcp { port, tls, .. } => {
                let (place, usual) = (tcp.to_string(), if *tls { 443 } else { 80 });
                match place.rsplit_once(':') {
                    Some((host, _)) if *port == usual => host.to_owned(),
                    _ => place,
                }
            }
        }
    }

    /// Why there is no answer: what answers in no HTTP may well speak TLS.
    fn broken(&self, error: hyper::Error) -> CliError {
        let plain = matches!(self.reach(), Reach::Tcp { tls: false, .. });
        if plain && error.is_parse() { self.wants_tls() } else { CliError::Broken(error.into()) }
    }

    /// Who speaks TLS says so to us as to a browser: a redirection there, or a 400 that is no problem of
    /// a platform.
    fn forgot_tls(&self, reply: &Response<Incoming>) -> Option<CliError> {
        let text = |name| reply.headers().get(name).and_then(|value| value.to_str().ok());
        let (status, to) = (reply.status(), text(header::LOCATION).unwrap_or_default());
        let there = status.is_redirection() && to.starts_with("https://");
        let program = text(header::CONTENT_TYPE).is_some_and(|kind| kind.contains("json"));
        let plain = matches!(self.reach(), Reach::Tcp { tls: false, .. });
        let told = plain && (there || (status.as_u16() == 400 && !program));
        told.then(|| self.wants_tls())
    }

    fn wants_tls(&self) -> CliError {
        let place = self.host();
        CliError::usage(
            format!("{place} does not take http://: it seems to speak TLS"),
            format!("write https://{place}"),
        )
    }

    async fn refusal(&self, reply: Response<Incoming>) -> CliError {
        let status = reply.status();
        let is_problem = reply
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|v| v.as_bytes().starts_with(problem::MEDIA_TYPE.as_bytes()));
        let bytes = match whole(reply).await {
            Ok(bytes) => bytes,
            Err(error) => return error,
        };
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(mut problem) if is_problem => {
                if problem.known() == Some(Code::Unauthenticated) {
                    self.sign_in_hint(&mut problem);
                }
                CliError::Problem(Box::new(problem))
            }
            _ => CliError::Garbled(format!("it answered with status {}", status.as_u16())),
        }
    }
}

impl Client {
    /// What helps here where nobody is signed in, rather than what helps in a browser.
    fn sign_in_hint(&self, problem: &mut Problem) {
        let place = self.address("");
        // What is said of a proof is of the clock, or of what is in between.
        if self.key().is_some() && !problem.detail.contains("DPoP") {
            problem.detail = format!("this device is not let in to {place}, or not any more");
            problem.hint =
                format!("ask again with `smartbox login {place}`, and the `--as` that it had");
        } else if self.token().is_none() {
            problem.hint = format!(
                "`smartbox login {place}` asks to be let in; or set SMARTBOX_TOKEN: `smartbox token \
                 create` on the platform's own machine makes one"
            );
        }
    }
}

async fn patiently<T>(
    held: Duration,
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    timeout(held + THINK, work).await.map_err(|_| {
        let why = std::io::Error::new(std::io::ErrorKind::TimedOut, "there was no answer in time");
        CliError::Broken(why.into())
    })?
}

fn full(bytes: Vec<u8>) -> Outgoing {
    Full::new(Bytes::from(bytes)).boxed_unsync()
}

pub(super) async fn whole(reply: Response<Incoming>) -> Result<Bytes, CliError> {
    let body = Limited::new(reply.into_body(), MAX_ANSWER).collect().await.map_err(|e| {
        if e.is::<http_body_util::LengthLimitError>() {
            CliError::Garbled("it is too long".into())
        } else {
            CliError::Broken(e)
        }
    })?;
    Ok(body.to_bytes())
}
