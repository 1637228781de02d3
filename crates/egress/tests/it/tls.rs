//! Servers that speak TLS, under an authority of this test, and programs that trust that of the box.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpListener;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::world::{Heard, Inside, World};

/// The authority of the servers.
#[derive(Clone)]
pub struct Root {
    pub certificate: CertificateDer<'static>,
    key: String,
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub fn root() -> Root {
    static ROOT: OnceLock<Root> = OnceLock::new();
    ROOT.get_or_init(|| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Root { key: key.serialize_pem(), certificate: certificate.into() }
    })
    .clone()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn server(name: &str) -> ServerConfig {
    let issuer = Issuer::new(authority(), KeyPair::from_pem(&root().key).unwrap());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key)
        .unwrap()
}

/// A server of HTTPS with this name, which answers the same to each request and keeps what it hears.
pub async fn web(name: &str, answer: impl Into<Vec<u8>>) -> (u16, Heard) {
    let answer: Arc<[u8]> = answer.into().into();
    let acceptor = TlsAcceptor::from(Arc::new(server(name)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, kept, answer) = (acceptor.clone(), kept.clone(), answer.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut text = String::new();
                let mut piece = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut piece).await {
                    text += &String::from_utf8_lossy(&piece[..n]);
                    if text.contains("\r\n\r\n") {
                        kept.lock().unwrap().push(std::mem::take(&mut text));
                        let _ = stream.write_all(&answer).await;
                        let _ = stream.flush().await;
                    }
                }
            });
        }
    });
    (port, heard)
}

/// Speaks TLS from within the box, through a tunnel that is open. Whom it trusts: the box's authority,
/// or the servers' own.
pub async fn speak(
    world: &World,
    inside: Inside,
    name: &str,
    of_the_box: bool,
) -> std::io::Result<TlsStream<DuplexStream>> {
    let mut roots = RootCertStore::empty();
    if of_the_box {
        let pem = world.fake.authority.lock().unwrap().clone().unwrap().certificate;
        use rustls::pki_types::pem::PemObject as _;
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    } else {
        roots.add(root().certificate).unwrap();
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, inside.0).await
}

/// One request on a connection of its own to a host whose TLS is opened, and all that comes back.
pub async fn once(world: &World, to: &str, request: &str) -> String {
    let mut inside = world.dial();
    let said = inside.connect(to).await;
    let (name, _) = to.split_once(':').unwrap();
    let Ok(mut stream) = speak(world, inside, name, true).await else { return said };
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    // The other end hangs up without a farewell; what came is what counts.
    let read = stream.read_to_end(&mut all);
    let _ = tokio::time::timeout(crate::world::WITHIN, read).await.expect("it closes");
    String::from_utf8_lossy(&all).into_owned()
}

/// One request, and the head of its answer.
pub async fn ask(stream: &mut TlsStream<DuplexStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}
