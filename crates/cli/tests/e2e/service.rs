//! A service on the internet that a test plays, over TLS: it takes keys in the usual places, sends
//! back what it was sent, and remembers whole requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// An authority that vouches for services, and the file that says so to a platform.
pub struct Trust {
    key: KeyPair,
    /// What this machine trusts, and the authority.
    pub file: PathBuf,
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Trust {
    pub fn new(dir: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let own = params().self_signed(&key).unwrap().pem();
        let machine = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
        let file = dir.join("trust.pem");
        std::fs::write(&file, format!("{machine}\n{own}")).unwrap();
        Self { key, file }
    }

    fn server(&self) -> ServerConfig {
        let issuer = Issuer::new(params(), &self.key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.2".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], key)
            .unwrap()
    }
}

/// The keys that a service takes.
#[derive(Clone, Default)]
pub struct Keys {
    /// As `authorization: Bearer` or `x-api-key` at `/api`.
    pub api: String,
    /// In the path after `/bot`.
    pub bot: String,
    /// As the password of basic authentication at `/repo.git/`, whose files are in this directory.
    pub git: (String, PathBuf),
    /// Where `/redirect` leads.
    pub elsewhere: String,
}

/// A service. It is at an address of this machine that programs in a box do not think to be theirs.
pub struct Service {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub fn start(trust: &Trust, keys: &Keys) -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (config, seen, keys) = (Arc::new(trust.server()), asked.clone(), keys.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, seen, keys) = (config.clone(), seen.clone(), keys.clone());
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(config).unwrap();
                    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
                    // The other end may hang up whenever it likes.
                    let _ = serve(&mut stream, &keys, &seen);
                    stream.get_mut().conn.send_close_notify();
                    let _ = stream.get_mut().flush();
                });
            }
        });
        Self { port, asked }
    }

    /// Whole heads of what it was asked so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve<S: Read + Write>(
    stream: &mut BufReader<S>,
    keys: &Keys,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    seen.lock().unwrap().push(head.clone());
    let (status, more, body) = answer(&head, keys);
    let length = body.len();
    write!(
        stream.get_mut(),
        "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    // In small pieces, so that what it sends back is split in any place.
    for piece in body.chunks(5) {
        stream.get_mut().write_all(piece)?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

type Answer = (&'static str, String, Vec<u8>);

fn answer(head: &str, keys: &Keys) -> Answer {
    let path = head.split(' ').nth(1).unwrap_or("/");
    let has = |line: String| head.lines().any(|one| one.eq_ignore_ascii_case(&line));
    let fine = |text: &str| ("200 OK", String::new(), text.as_bytes().to_vec());
    let no = ("401 Unauthorized", "www-authenticate: Basic realm=\"x\"\r\n".to_owned(), vec![]);
    let keyed = has(format!("authorization: Bearer {}", keys.api))
        || has(format!("x-api-key: {}", keys.api));
    if path == "/api" && keyed {
        return fine("welcome\n");
    }
    if path == "/redirect" && keyed {
        return ("302 Found", format!("location: {}\r\n", keys.elsewhere), vec![]);
    }
    if path == "/echo" && keyed {
        let key = &keys.api;
        let escaped: String = key.bytes().map(|b| format!("%{b:02X}")).collect();
        let json: String = key.bytes().map(|b| format!("\\u{b:04x}")).collect();
        let encoded = STANDARD.encode(format!("user:{key}"));
        let body =
            format!("you sent {key} or {escaped} or \"{json}\" or {encoded}, and that is all\n");
        return ("200 OK", format!("x-echo: {key}\r\n"), body.into_bytes());
    }
    if path == format!("/bot{}/getMe", keys.bot) {
        return fine("{\"ok\":true}\n");
    }
    if let Some(file) = path.strip_prefix("/repo.git/") {
        let (password, dir) = &keys.git;
        let basic = STANDARD.encode(format!("x-access-token:{password}"));
        if !has(format!("authorization: Basic {basic}")) {
            return no;
        }
        let file = file.split('?').next().unwrap_or_default();
        return match std::fs::read(dir.join("repo.git").join(file)) {
            Ok(body) => ("200 OK", String::new(), body),
            Err(_) => ("404 Not Found", String::new(), vec![]),
        };
    }
    no
}
