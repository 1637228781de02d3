//! One connection, HTTP/1.1, encrypted or not.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use smartbox_server::up;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::{Client, Reach, tls};
use crate::error::CliError;

/// A request's body.
pub(super) type Outgoing = UnsyncBoxBody<Bytes, std::convert::Infallible>;

const CONNECT: Duration = Duration::from_secs(10);

impl Client {
    pub(super) async fn connect(&self) -> Result<http1::SendRequest<Outgoing>, CliError> {
        match self.reach() {
            Reach::Socket(dir) => {
                let stream = up::connect(dir).await.map_err(|e| self.explain(&e))?;
                open(TokioIo::new(stream)).await
            }
            Reach::Tcp { host, port, tls } => {
                let stream = timeout(CONNECT, self.dial(host, *port, *tls))
                    .await
                    .map_err(|_| self.unreachable())??;
                // Keys typed into a terminal are small and want to be there at once.
                let _ = stream.set_nodelay(true);
                if *tls {
                    let stream = self.encrypt(host, stream).await?;
                    open(TokioIo::new(stream)).await
                } else {
                    open(TokioIo::new(stream)).await
                }
            }
        }
    }

    /// A connection to one of the host's addresses. What would show a token to whoever is in between is
    /// not even made: that is decided by where it leads, whatever the host is called.
    async fn dial(&self, host: &str, port: u16, tls: bool) -> Result<TcpStream, CliError> {
        let signed = self.token().is_some() || self.key().is_some();
        let guarded = signed && !tls && !self.trust.plain;
        let found = lookup_host((host, port)).await.map_err(|_| self.unreachable())?;
        let mut last = self.unreachable();
        for address in found {
            if guarded && !address.ip().to_canonical().is_loopback() {
                return Err(self.bare());
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = self.explain(&error),
            }
        }
        Err(last)
    }

    async fn encrypt(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, CliError> {
        let config = match self.tls.get() {
            Some(config) => config.clone(),
            None => {
                let config = tls::config(&self.trust)?;
                self.tls.get_or_init(|| config).clone()
            }
        };
        let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
        let done = timeout(CONNECT, tls::encrypt(config, host, stream)).await.unwrap_or_else(late);
        done.map_err(|e| tls::explain(e, host, &self.reach().to_string(), &self.trust))
    }

    /// A token would be seen on its way.
    fn bare(&self) -> CliError {
        let place = self.host();
        CliError::usage(
            format!(
                "http://{place} is not this machine, and not encrypted: what lets you in would be \
                 seen on the way"
            ),
            format!(
                "write https://{place}, or forward a port: `ssh -L 7777:127.0.0.1:7777 HOST`; on a \
                 network that encrypts by itself say --plain-http"
            ),
        )
    }

    fn explain(&self, error: &io::Error) -> CliError {
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                CliError::NotOurs { place: self.reach().to_string() }
            }
            _ => self.unreachable(),
        }
    }
}

async fn open<T>(io: TokioIo<T>) -> Result<http1::SendRequest<Outgoing>, CliError>
where
    TokioIo<T>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::handshake(io).await.map_err(|e| CliError::Broken(e.into()))?;
    // It ends with the sender and the bodies that were made from it.
    tokio::spawn(connection);
    Ok(sender)
}
