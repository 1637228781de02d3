//! Dialling: the name is looked up once, each of its addresses is looked at, and what is dialled is
//! one of those. A name that means another address a moment later changes nothing.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use smartbox_core::egress::address::is_public;
use smartbox_core::egress::{Host, Refusal};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Inner;
use super::target::Target;

impl Inner {
    /// Connects to a host that the policy allows.
    pub(crate) async fn dial(&self, target: &Target) -> Result<TcpStream, Refusal> {
        let within = self.parts.limits.dial_time;
        let connected = timeout(within, async {
            let addresses = self.addresses(target).await?;
            self.first_that_answers(&addresses, target.port).await
        });
        connected.await.map_err(|_| Refusal::Unreachable)?
    }

    /// The addresses of a host that may be dialled.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Refusal> {
        let found = match &target.host {
            Host::Ip(ip) => vec![*ip],
            Host::Name(name) => match self.parts.names.lookup(name).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!(host = %name, %error, "a name has no address");
                    return Err(Refusal::Unresolved);
                }
            },
        };
        if found.is_empty() {
            return Err(Refusal::Unresolved);
        }
        let good: Vec<IpAddr> =
            found.into_iter().filter(|ip| self.may_dial(*ip, target.port)).collect();
        if good.is_empty() { Err(Refusal::Private) } else { Ok(good) }
    }

    pub(crate) fn may_dial(&self, ip: IpAddr, port: u16) -> bool {
        self.parts.opened.iter().any(|opened| opened.holds(ip, port))
            || (is_public(ip) && !is_ours(ip))
    }

    async fn first_that_answers(
        &self,
        addresses: &[IpAddr],
        port: u16,
    ) -> Result<TcpStream, Refusal> {
        // Each gets its share of the time, so that one that is silent does not take all of it.
        let share =
            self.parts.limits.dial_time / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for ip in addresses {
            match timeout(share, TcpStream::connect(SocketAddr::new(*ip, port))).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => tracing::debug!(%ip, port, %error, "no answer"),
                Err(_) => tracing::debug!(%ip, port, "no answer in time"),
            }
        }
        Err(Refusal::Unreachable)
    }
}

/// Whether an address is this machine's own: the platform's other listeners are there, whatever they
/// are bound to. An address that can be bound is.
fn is_ours(ip: IpAddr) -> bool {
    match UdpSocket::bind((ip, 0)) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::AddrNotAvailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_bound_is_ours() {
        assert!(is_ours("127.0.0.1".parse().unwrap()));
        assert!(!is_ours("8.8.8.8".parse().unwrap()));
    }
}
