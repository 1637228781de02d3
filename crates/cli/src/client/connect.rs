//! One connection, HTTP/1.1.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use smartbox_server::up;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Client, Reach};
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
            Reach::Tcp { host, port } => {
                let stream = timeout(CONNECT, TcpStream::connect((host.as_str(), *port)))
                    .await
                    .map_err(|_| self.unreachable())?
                    .map_err(|e| self.explain(&e))?;
                // Keys typed into a terminal are small and want to be there at once.
                let _ = stream.set_nodelay(true);
                open(TokioIo::new(stream)).await
            }
        }
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
