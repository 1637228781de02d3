//! From a connection to an encrypted one: so many handshakes at a time, each within a deadline.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smartbox_edge::Crowd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Keeper;

/// A handshake takes two of the client's journeys; on the worst of lines that is seconds.
const DEADLINE: Duration = Duration::from_secs(10);
/// Handshakes at a time. For one more the oldest is given up: who goes on does so within moments.
const AT_ONCE: usize = 512;
/// Of one client.
const PER_CLIENT: usize = 64;
/// What a handshake begins with; a request without TLS begins with a letter.
const HANDSHAKE: u8 = 0x16;

/// Of what comes without TLS no more is taken off.
const MOST: u64 = 64 << 10;

/// Says to whoever forgot the `s` what is wrong; without knowing what he asked for, for that
/// would have to be read.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
                       \r\nThis port speaks TLS: write https:// before the address.\n";

/// Makes connections encrypted. Cheap to clone.
#[derive(Clone)]
pub struct Accept {
    acceptor: TlsAcceptor,
    handshakes: Crowd,
}

impl Accept {
    /// With this certificate.
    pub fn new(keeper: &Arc<Keeper>) -> Result<Self, rustls::Error> {
        let acceptor = TlsAcceptor::from(Arc::new(keeper.server()?));
        Ok(Self { acceptor, handshakes: Crowd::new(AT_ONCE, PER_CLIENT) })
    }

    /// The encrypted connection; `None` if it does not come to be, for whatever reason.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        shared: bool,
    ) -> Option<TlsStream<TcpStream>> {
        let place = self.handshakes.seat(peer, shared)?;
        tokio::select! {
            done = tokio::time::timeout(DEADLINE, self.shake(stream, peer)) => done.ok()?,
            () = place.sent_away() => None,
        }
    }

    async fn shake(&self, mut stream: TcpStream, peer: SocketAddr) -> Option<TlsStream<TcpStream>> {
        let mut first = [0];
        if stream.peek(&mut first).await.ok()? == 1 && first[0] != HANDSHAKE {
            let _ = stream.write_all(PLAIN).await;
            let _ = stream.shutdown().await;
            // What he asked is taken off, unseen: closed over it, the connection would be reset, and the
            // answer lost.
            let _ = tokio::io::copy(&mut stream.take(MOST), &mut tokio::io::sink()).await;
            return None;
        }
        match self.acceptor.accept(stream).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(%peer, %error, "a TLS handshake failed");
                None
            }
        }
    }
}
