//! Downloads, with and without a proxy.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::AnyResult;
use crate::origin::Origin;
use crate::proxy::Proxy;

/// How a proxy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Road {
    /// HTTP in the open.
    Http,
    /// A tunnel with TLS that is passed untouched.
    Tunnel,
    /// A tunnel with TLS that is opened.
    Opened,
}

impl Road {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Tunnel => "TLS untouched",
            Self::Opened => "TLS opened",
        }
    }

    pub(crate) fn port(self, origin: &Origin) -> u16 {
        match self {
            Self::Http => origin.http,
            Self::Tunnel => origin.tunnel,
            Self::Opened => origin.secure,
        }
    }
}

/// What came of one.
pub(crate) struct Got {
    pub(crate) bytes: usize,
    pub(crate) first: Duration,
    pub(crate) took: Duration,
}

/// What came of many.
pub(crate) struct Done {
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
    /// Sorted.
    pub(crate) first: Vec<Duration>,
    pub(crate) failed: usize,
}

/// Many at once.
pub(crate) async fn parallel(
    many: usize,
    bytes: usize,
    origin: &Origin,
    proxy: Option<&Proxy>,
    road: Road,
) -> AnyResult<Done> {
    origin.size.store(bytes, Ordering::Relaxed);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..many {
        tasks.spawn(download(bytes, road, road.port(origin), proxy.map(|proxy| proxy.port)));
    }
    let mut done = Done { bytes: 0, took: Duration::ZERO, first: Vec::new(), failed: 0 };
    while let Some(got) = tasks.join_next().await {
        match got? {
            Ok(got) => {
                done.bytes += got.bytes;
                done.first.push(got.first);
            }
            Err(_) => done.failed += 1,
        }
    }
    done.took = began.elapsed();
    done.first.sort();
    Ok(done)
}

/// One.
pub(crate) async fn one(
    bytes: usize,
    origin: &Origin,
    proxy: Option<&Proxy>,
    road: Road,
) -> AnyResult<Got> {
    origin.size.store(bytes, Ordering::Relaxed);
    download(bytes, road, road.port(origin), proxy.map(|proxy| proxy.port)).await
}

async fn download(bytes: usize, road: Road, port: u16, proxy: Option<u16>) -> AnyResult<Got> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.unwrap_or(port))).await?;
    stream.set_nodelay(true)?;
    if road == Road::Tunnel {
        if proxy.is_some() {
            tunnel(&mut stream, port).await?;
        }
        stream.write_all(&greeting()?).await?;
    } else {
        let at = if proxy.is_some() { format!("http://127.0.0.1:{port}") } else { String::new() };
        let head = format!("GET {at}/{bytes} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
    }
    let mut piece = vec![0; 64 << 10];
    let mut first = None;
    // A proxy keeps its end open: what is awaited ends with the body, not with the connection.
    let mut awaited = if road == Road::Tunnel { Some(bytes) } else { None };
    let (mut got, mut head) = (0, Vec::new());
    while awaited.is_none_or(|awaited| got < awaited) {
        let n = stream.read(&mut piece).await?;
        if n == 0 {
            break;
        }
        first.get_or_insert_with(|| began.elapsed());
        got += n;
        if awaited.is_none() {
            head.extend_from_slice(&piece[..n]);
            let end = head.windows(4).position(|four| four == b"\r\n\r\n");
            awaited = end.map(|at| at + 4 + bytes);
        }
    }
    if awaited != Some(got) {
        return Err("not the whole of it".into());
    }
    Ok(Got { bytes, first: first.unwrap_or_default(), took: began.elapsed() })
}

/// Asks for a tunnel.
pub(crate) async fn tunnel(stream: &mut TcpStream, port: u16) -> AnyResult<()> {
    let ask = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err("the proxy hung up".into());
        }
    }
    let ok = head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.0 200");
    if ok { Ok(()) } else { Err(String::from_utf8_lossy(&head).into_owned().into()) }
}

/// What a client of TLS says first.
pub(crate) fn greeting() -> AnyResult<Vec<u8>> {
    let mut tls = ClientConnection::new(client(RootCertStore::empty())?, name()?)?;
    let mut hello = Vec::new();
    tls.write_tls(&mut hello)?;
    Ok(hello)
}

pub(crate) fn name() -> AnyResult<ServerName<'static>> {
    Ok(ServerName::try_from("127.0.0.1")?)
}

/// Trusts these.
pub(crate) fn client(roots: RootCertStore) -> AnyResult<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
