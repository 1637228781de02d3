//! Platforms that are reached by https: who is believed, what is said of who is not, and that everything
//! else goes on as it did.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::BytesMut;
use http_body_util::BodyExt;
use serde_json::json;
use smartbox_api::exec::{Exit, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fake::{Fake, pieces, smartbox};
use crate::office::{Like, Office, alone};
use crate::run::{Ended, LONG, command, end};

const TOKEN: &str = "sba_a-token-that-nobody-sees";
const LINE: &str = r#"{"time":1800000000000,"source":"engine","text":"one","cursor":"4.1"}"#;

/// Lists one box.
fn platform() -> Router {
    let list = || async { Json(json!({ "items": [smartbox("there", "running", "")] })) };
    Router::new().route("/api/v1/boxes", get(list))
}

fn to(url: &str, ca: Option<&Path>, args: &[&str]) -> tokio::process::Command {
    let home = Path::new("/nonexistent");
    let mut all = vec!["--server", url];
    all.extend(args);
    let mut command = command(home, &all);
    command.env("SMARTBOX_TOKEN", TOKEN).env("HOME", home);
    if let Some(ca) = ca {
        command.env("SMARTBOX_CA", ca);
    }
    command
}

async fn asked(url: &str, ca: Option<&Path>, args: &[&str]) -> Ended {
    end(to(url, ca, args).spawn().unwrap()).await
}

#[tokio::test]
async fn a_platform_that_proves_itself_is_asked_and_gets_the_token() {
    let office = Office::new("ours");
    let (fake, port) = Fake::tls(platform(), office.signed(&Like::default())).await;
    let url = format!("https://localhost:{port}");
    let ended = asked(&url, Some(&office.ca()), &["ls"]).await;
    assert!(ended.code == Some(0) && ended.out.contains("there"), "{ended:?}");
    let seen = &fake.seen()[0];
    assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(seen.headers["host"].to_str().unwrap(), format!("localhost:{port}"));
    // The machine's own list counts where no authority is named.
    let mut machine = to(&url, None, &["ls"]);
    let ended = end(machine.env("SSL_CERT_FILE", office.ca()).spawn().unwrap()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // The option wins over the variable, and `--listen` means the same place.
    let ca = office.ca();
    let args = ["--ca", ca.to_str().unwrap(), "ls"];
    assert_eq!(asked(&url, Some(Path::new("/nowhere.pem")), &args).await.code, Some(0));
    let mut listen = command(Path::new("/nonexistent"), &["--listen", &url, "ls"]);
    listen.env("SMARTBOX_TOKEN", TOKEN).env("SMARTBOX_CA", &ca);
    assert_eq!(end(listen.spawn().unwrap()).await.code, Some(0));
}

#[tokio::test]
async fn who_cannot_prove_to_be_the_platform_gets_nothing() {
    let (ours, theirs, twin) = (Office::new("ours"), Office::new("theirs"), Office::new("ours"));
    let itself = ours.ca().with_file_name("itself.pem");
    let (ca, bad) = (ours.ca(), |office: &Office, like: Like| office.signed(&like));
    let usual = Like::default;
    let selfish = Like { authority: true, ..usual() };
    for (acceptor, ca, code, says, helps) in [
        (bad(&theirs, usual()), Some(&ca), 1, "is not from the authority that is named", "--ca"),
        (bad(&twin, usual()), Some(&ca), 1, "is not from the authority that is named", "between"),
        (bad(&ours, usual()), None, 1, "from nobody whom this machine trusts", "SMARTBOX_CA"),
        (
            bad(&ours, Like { names: &["sb.example", "*.sb.example"], ..usual() }),
            Some(&ca),
            1,
            "is for sb.example, *.sb.example, not for localhost",
            "use the name",
        ),
        (bad(&ours, Like { years: (2020, 2021), ..usual() }), Some(&ca), 1, "has expired", "renew"),
        (
            bad(&ours, Like { years: (2080, 2090), ..usual() }),
            Some(&ca),
            1,
            "not valid yet",
            "clock",
        ),
        (alone(&selfish, &itself), Some(&itself), 1, "an authority's own", "CA:FALSE"),
    ] {
        let (fake, port) = Fake::tls(platform(), acceptor).await;
        let url = format!("https://localhost:{port}");
        let ended = asked(&url, ca.map(|ca| ca.as_path()), &["ls"]).await;
        assert_eq!(ended.code, Some(code), "{says}: {ended:?}");
        let (what, hint) = ended.err.split_once("hint: ").unwrap();
        assert!(what.contains(says) && hint.contains(helps), "{says}: {ended:?}");
        assert!(what.contains(&format!("localhost:{port}")), "{ended:?}");
        assert!(fake.seen().is_empty() && !ended.err.contains(TOKEN), "{says}");
    }
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_believed_if_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("itself.pem");
    let (_fake, port) = Fake::tls(platform(), alone(&Like::default(), &file)).await;
    let url = format!("https://localhost:{port}");
    assert_eq!(asked(&url, Some(&file), &["ls"]).await.code, Some(0));
    assert_eq!(asked(&url, None, &["ls"]).await.code, Some(1));
}

#[tokio::test]
async fn a_named_authority_counts_alone() {
    let (ours, theirs) = (Office::new("ours"), Office::new("theirs"));
    let (_fake, port) = Fake::tls(platform(), theirs.signed(&Like::default())).await;
    let url = format!("https://localhost:{port}");
    // Even one that the machine trusts is not the one that was named.
    let mut command = to(&url, Some(&ours.ca()), &["ls"]);
    let ended = end(command.env("SSL_CERT_FILE", theirs.ca()).spawn().unwrap()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for (text, says) in [("", "no certificate"), ("-----BEGIN X", "no certificate")] {
        let file = ours.ca().with_file_name("bad.pem");
        std::fs::write(&file, text).unwrap();
        let ended = asked(&url, Some(&file), &["ls"]).await;
        assert!(ended.code == Some(2) && ended.err.contains(says), "{ended:?}");
    }
    assert_eq!(asked(&url, Some(Path::new("/nowhere.pem")), &["ls"]).await.code, Some(2));
    let both = format!("{}{}", ours.pem(), theirs.pem());
    std::fs::write(ours.ca(), both).unwrap();
    assert_eq!(asked(&url, Some(&ours.ca()), &["ls"]).await.code, Some(0), "there may be several");
}

#[tokio::test]
async fn who_takes_http_for_https_is_told_so_and_the_other_way_round() {
    let office = Office::new("ours");
    let (_plain, http) = Fake::tcp(platform()).await;
    let ended = asked(&http.replace("http:", "https:"), Some(&office.ca()), &["ls"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("does not speak TLS") && ended.err.contains(&http), "{ended:?}");

    let (_fake, port) = Fake::tls(platform(), office.signed(&Like::default())).await;
    let plain = format!("http://localhost:{port}");
    let hint = format!("write https://localhost:{port}");
    let ended = asked(&plain, None, &["ls"]).await;
    assert!(ended.code == Some(2) && ended.err.contains(&hint), "an alert: {ended:?}");
    // As web servers say it, and as a proxy does.
    for answer in [
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://localhost/x\r\ncontent-length: 0\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        for args in [&["ls"][..], &["login", &url]] {
            let mut command = to(&url, None, args);
            let home = tempfile::tempdir().unwrap();
            let ended = end(command.env("HOME", home.path()).spawn().unwrap()).await;
            assert!(ended.code == Some(2) && ended.err.contains("write https://"), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn who_hangs_up_or_is_not_there_may_be_back_in_a_moment() {
    let office = Office::new("ours");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hangs_up = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // All of the greeting, so that nothing is left unread.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let url = format!("https://localhost:{port}");
    let ended = asked(&url, Some(&office.ca()), &["ls"]).await;
    assert!(ended.code == Some(6) && ended.err.contains("broke"), "{ended:?}");
    hangs_up.abort();
    let _ = hangs_up.await;
    let ended = asked(&url, Some(&office.ca()), &["ls"]).await;
    assert!(ended.code == Some(6) && ended.err.contains("no platform is running"), "{ended:?}");
    assert!(ended.err.contains("hint: look whether it runs there"), "{ended:?}");
}

#[tokio::test]
async fn streams_uploads_and_commands_go_through_tls() {
    let (log, following) = pieces();
    let following = Arc::new(Mutex::new(Some(following)));
    let logs = get(move || {
        let body = following.lock().unwrap().take();
        async move { body.unwrap().into_response() }
    });
    let cat = post(|mut body: axum::body::Body| async move {
        let (out, answer) = pieces();
        tokio::spawn(async move {
            let mut buffer = BytesMut::new();
            while let Some(Ok(part)) = body.frame().await {
                buffer.extend_from_slice(part.data_ref().unwrap());
                while let Some(frame) = Frame::decode(&mut buffer).unwrap() {
                    let reply = match frame {
                        Frame::Stdin(bytes) => Frame::Stdout(bytes),
                        Frame::StdinEnd => Frame::Exit(Exit { code: Some(7), ..Exit::default() }),
                        _ => continue,
                    };
                    let mut bytes = BytesMut::new();
                    reply.encode(&mut bytes);
                    let _ = out.send(Ok(bytes.freeze()));
                }
            }
        });
        answer.into_response()
    });
    let router = platform()
        .merge(crate::files::home())
        .route("/api/v1/boxes/pa/logs", logs)
        .route("/api/v1/boxes/pa/exec", cat);
    let office = Office::new("ours");
    let (fake, port) = Fake::tls(router, office.signed(&Like::default())).await;
    let (url, ca) = (format!("https://localhost:{port}"), office.ca());

    let mut child = to(&url, Some(&ca), &["logs", "-f", "--json", "pa"]).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    for _ in 0..2 {
        // Each line is there before the next one is written.
        log.send(Ok(format!("{LINE}\n").into())).unwrap();
        let mut line = vec![0; LINE.len() + 1];
        tokio::time::timeout(LONG, out.read_exact(&mut line)).await.unwrap().unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), format!("{LINE}\n"));
    }
    child.kill().await.unwrap();

    let big: Vec<u8> = (0..1_500_000_u32).map(|n| (n % 251) as u8).collect();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("big");
    std::fs::write(&file, &big).unwrap();
    let args = ["cp", "-q", file.to_str().unwrap(), "pa:x"];
    let ended = asked(&url, Some(&ca), &args).await;
    assert_eq!(ended.code, Some(0), "the digest of what came is compared: {ended:?}");
    assert_eq!(fake.seen_like("PUT")[0].headers["content-length"], "1500000");

    let mut exec = to(&url, Some(&ca), &["exec", "-i", "pa", "--", "cat"]);
    let mut child = exec.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = child.stdout.take().unwrap();
    for word in ["one", "two"] {
        stdin.write_all(word.as_bytes()).await.unwrap();
        let mut back = [0; 3];
        tokio::time::timeout(LONG, out.read_exact(&mut back)).await.unwrap().unwrap();
        assert_eq!(back, word.as_bytes());
    }
    drop(stdin);
    assert_eq!(end(child).await.code, Some(7));
}

#[tokio::test]
async fn a_token_does_not_leave_this_machine_unencrypted_without_being_told_to() {
    // An address of documentation: nobody is there, and nobody is asked.
    let beyond = "http://192.0.2.1:7777";
    let ended = asked(beyond, None, &["ls"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for word in ["not encrypted", "https://192.0.2.1:7777", "ssh -L", "--plain-http"] {
        assert!(ended.err.contains(word), "{word}: {ended:?}");
    }
    assert!(!ended.err.contains(TOKEN));
    // Nor is one asked for, by a key.
    let home = tempfile::tempdir().unwrap();
    let mut login = to(beyond, None, &["login", beyond]);
    let ended = end(login.env("HOME", home.path()).env_remove("SMARTBOX_TOKEN").spawn().unwrap());
    assert!(ended.await.err.contains("--plain-http"));
    // Whatever it is called: what counts is where it leads.
    let Some(own) = own_address() else { return };
    let listener = TcpListener::bind((own.as_str(), 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (fake, _) = Fake::on(platform(), listener);
    assert_eq!(asked(&url, None, &["ls"]).await.code, Some(2));
    assert!(fake.seen().is_empty());
    let mut told = to(&url, None, &["ls"]);
    assert_eq!(end(told.env("SMARTBOX_PLAIN_HTTP", "true").spawn().unwrap()).await.code, Some(0));
    assert_eq!(asked(&url, None, &["--plain-http", "ls"]).await.code, Some(0));
    assert_eq!(fake.seen().len(), 2);
}

/// An address of this machine that is not the loopback's, if it has one.
fn own_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the kernel says by which address it would be.
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| ip.to_string())
}
