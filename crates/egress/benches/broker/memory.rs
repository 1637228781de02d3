//! What a connection costs over which nothing passes.

use std::sync::atomic::Ordering;

use rustls::RootCertStore;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::load::{Road, client, greeting, name, tunnel};
use crate::origin::Origin;
use crate::proxy::Proxy;
use crate::{AnyResult, Plan};

/// Connections that are made at once.
const AT_ONCE: usize = 50;

pub(crate) async fn memory(
    plan: &Plan,
    origin: &Origin,
    proxy: &Proxy,
    road: Road,
) -> AnyResult<()> {
    origin.size.store(0, Ordering::Relaxed);
    let before = proxy.resident();
    let mut open: Vec<Box<dyn AsyncRead + Send + Unpin>> = Vec::new();
    while open.len() < plan.idle {
        let more = (0..AT_ONCE.min(plan.idle - open.len())).map(|_| async {
            match road {
                Road::Opened => opened(origin, proxy).await,
                _ => untouched(origin, proxy).await,
            }
        });
        let made = join(more).await;
        let failed = made.iter().find_map(|made| made.as_ref().err().map(ToString::to_string));
        open.extend(made.into_iter().flatten());
        if let Some(why) = failed {
            println!("  {}, {}: no more after {}: {why}", proxy.name, road.words(), open.len());
            break;
        }
    }
    let grown = proxy.resident().saturating_sub(before);
    println!(
        "  {}, {}: {} open, {:.1} MiB before, {:.1} KiB for each",
        proxy.name,
        road.words(),
        open.len(),
        before as f64 / f64::from(1 << 20),
        grown as f64 / 1024.0 / open.len().max(1) as f64
    );
    Ok(())
}

async fn join<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(all).await
}

type Open = Box<dyn AsyncRead + Send + Unpin>;

async fn untouched(origin: &Origin, proxy: &Proxy) -> AnyResult<Open> {
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).await?;
    tunnel(&mut stream, origin.tunnel).await?;
    stream.write_all(&greeting()?).await?;
    stream.read_u8().await?;
    Ok(Box::new(stream))
}

/// A request whose answer does not end, so that both sides are open.
async fn opened(origin: &Origin, proxy: &Proxy) -> AnyResult<Open> {
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).await?;
    tunnel(&mut stream, origin.secure).await?;
    let mut roots = RootCertStore::empty();
    roots.add(proxy.authority()?)?;
    let mut stream = TlsConnector::from(client(roots)?).connect(name()?, stream).await?;
    let ask = format!("GET /hold HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n", origin.secure);
    stream.write_all(ask.as_bytes()).await?;
    // What TLS has taken may not be sent yet, and reading does not send it.
    stream.flush().await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    if status != *b"HTTP/1.1 200" {
        return Err(String::from_utf8_lossy(&status).into_owned().into());
    }
    Ok(Box::new(stream))
}
