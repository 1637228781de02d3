//! Whom programs in a box trust that have roots of their own, tried with nothing set up inside: a real
//! Chromium and Node, towards a server whose authority is this machine's own, as a company's is.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::egress::Inside;
use crate::platform::{Platform, puppet};

/// A server of HTTPS at 127.0.0.1, which says what it was asked for; its authority goes into `file`.
fn site(file: &Path) -> u16 {
    let ca = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "A company's own");
    std::fs::write(file, params.self_signed(&ca).unwrap().pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let own = own.signed_by(&key, &Issuer::new(params, ca)).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.into()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let tls = ServerConnection::new(config.clone()).unwrap();
            // A browser opens connections before it needs them.
            std::thread::spawn(move || answer(StreamOwned::new(tls, stream)));
        }
    });
    port
}

fn answer(mut stream: impl Read + Write) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\nseen: {path}",
        6 + path.len()
    );
    let _ = stream.flush();
}

/// What Chromium shows of a page. The host is this machine's loopback, where no program asks a proxy
/// unless it is told to.
fn page(inside: &Inside<'_>, url: &str) -> String {
    let script = format!(
        "export no_proxy='<-loopback>' NO_PROXY='<-loopback>'; \
         timeout 120 chromium --headless --timeout=60000 --dump-dom {url} 2>&1"
    );
    inside.run(&script).1
}

/// Node of any version: the proxy by hand, and TLS with the trust that it has by itself.
const NODE: &str = r#"
const [host, path] = process.argv.slice(1);
const ask = require("http").request({ port: 3128, host: "127.0.0.1", method: "CONNECT",
  path: host, headers: { host } });
ask.on("connect", (answer, socket) => {
  if (answer.statusCode !== 200) return console.log("refused:", answer.statusMessage);
  require("https").get({ path, headers: { host }, createConnection: () =>
    require("tls").connect({ socket, host: "127.0.0.1" }) }, (got) => got.pipe(process.stdout))
    .on("error", (error) => console.log("failed:", error.code));
}).end();
"#;

#[test]
fn a_browser_and_node_trust_what_the_box_is_to_trust() {
    let files = tempfile::tempdir().unwrap();
    let roots = files.path().join("roots.pem");
    let port = site(&roots);
    let host = format!("127.0.0.1:{port}");
    let config = puppet() + &format!("\n[egress]\nprivate = [\"{host}\"]\n");
    let platform = Platform::start(&config, &[("SSL_CERT_FILE", &roots.display().to_string())]);
    let inside = Inside(&platform);
    let node = |path: &str| inside.run(&format!("node -e '{NODE}' {host} {path}")).1;
    let url = |path: &str| format!("https://{host}{path}");

    // Refused, and the page of plain HTTP is the advice.
    let advice = format!("smartbox egress allow pa {host}");
    let shown = page(&inside, &format!("http://{host}/"));
    assert!(shown.contains(&advice), "{shown}");
    let shown = page(&inside, &url("/"));
    assert!(!shown.contains("seen:") && shown.contains("ERR_TUNNEL_CONNECTION_FAILED"), "{shown}");
    let said = node("/");
    assert!(said.starts_with("refused:") && said.contains(&advice), "{said}");

    // TLS is opened: the box's own authority vouches, and each request is asked about.
    platform.ok(["egress", "allow", "pa", &host, "--method", "GET", "--path", "/open/**"]);
    let issuer = format!("curl -sv --noproxy '' {} 2>&1 | grep issuer", url("/open/a"));
    assert!(inside.run(&issuer).1.contains("The smartbox's own authority"));
    let shown = page(&inside, &url("/open/a"));
    assert!(shown.contains("seen: /open/a"), "{shown}");
    let shown = page(&inside, &url("/shut"));
    assert!(shown.contains("pa may not ask this of"), "{shown}");
    assert_eq!(node("/open/a"), "seen: /open/a");

    // It is untouched: whom this machine trusts, the programs trust.
    platform.ok(["egress", "allow", "pa", &host]);
    assert!(inside.run(&issuer).1.contains("A company's own"));
    let shown = page(&inside, &url("/shut"));
    assert!(shown.contains("seen: /shut"), "{shown}");
    assert_eq!(node("/shut"), "seen: /shut");
    assert_eq!(inside.row("127.0.0.1", port).unwrap()["why"], "request", "nothing was untrusted");

    // It was the policy that did it; what a box does to its own trust harms itself.
    assert!(inside.run("echo '{}' > ~/.smartbox/browser.json").0);
    let shown = page(&inside, &url("/shut"));
    assert!(!shown.contains("seen:"), "{shown}");
}
