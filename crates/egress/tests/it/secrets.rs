//! Secrets by placeholder: the value arrives where it is bound, and nowhere else, and does not come back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smartbox_core::egress::{Binding, Form, PathPattern, Place, Refusal, Rule};

use crate::tls::{ask, once, speak, web};
use crate::world::{World, layer};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const STANDIN: &str = "sbx_8hn2k1q5v7c3x9z4b6m0l2j8";
const VALUE: &str = "real/value+of=the&secret";

fn header(form: &str) -> Place {
    Place::Header { name: "authorization".into(), form: Form::parse(form).unwrap() }
}

fn bound(to: &str, places: Vec<Place>) -> Binding {
    Binding { secret: "KEY".into(), to: Rule::parse(to).unwrap(), places, in_clear: false }
}

/// A box that may reach a server, and may send it a secret in these places.
fn holding(port: u16, places: Vec<Place>) -> (World, String) {
    let to = format!("api.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("api.test", &[&["127.0.0.1"]]);
    world.hold("KEY", STANDIN, VALUE, vec![bound(&to, places)]);
    (world, to)
}

fn get(path: &str, to: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nconnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn the_value_arrives_in_each_place_that_is_bound() {
    let (port, heard) = web("api.test", OK).await;
    let basic = |user: &str, password: &str| {
        format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
    };
    let bearer = |of: &str| format!("authorization: Bearer {of}\r\n");
    let escaped = "real%2Fvalue%2Bof%3Dthe%26secret";
    for (place, path, more, arrives) in [
        (header("Bearer {}"), "/".to_owned(), bearer(STANDIN), bearer(VALUE)),
        (Place::BasicPassword, "/".into(), basic("x", STANDIN), basic("x", VALUE)),
        (Place::BasicUser, "/".into(), basic(STANDIN, ""), basic(VALUE, "")),
        (
            Place::Query { name: "key".into() },
            format!("/v1?a=b&key={STANDIN}"),
            String::new(),
            format!("/v1?a=b&key={escaped} "),
        ),
        (
            Place::Path { before: "/bot".into() },
            format!("/bot{STANDIN}/getMe"),
            String::new(),
            format!("/bot{escaped}/getMe "),
        ),
    ] {
        let (world, to) = holding(port, vec![place]);
        let answer = once(&world, &to, &get(&path, &to, &more)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let request = heard.lock().unwrap().pop().unwrap();
        assert!(request.contains(&arrives), "{request}");
        assert!(!request.contains(STANDIN), "{request}");
        assert_eq!(world.sent(), [("KEY".to_owned(), "api.test".to_owned())]);
    }
}

#[tokio::test]
async fn a_request_without_it_passes_and_is_not_counted() {
    let (port, heard) = web("api.test", OK).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    assert!(once(&world, &to, &get("/", &to, "")).await.starts_with("HTTP/1.1 200"));
    assert_eq!(heard.lock().unwrap().len(), 1);
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn anywhere_else_it_is_refused_and_nothing_arrives() {
    let (port, heard) = web("api.test", OK).await;
    let mut binding = bound(&format!("api.test:{port}"), vec![header("Bearer {}")]);
    binding.to.paths = vec![PathPattern::parse("/v1/**").unwrap()];
    let world = World::new(&[], &[port]);
    world.name("api.test", &[&["127.0.0.1"]]);
    let to = format!("api.test:{port}");
    world.allow(layer(&[&to], &[]));
    world.hold("KEY", STANDIN, VALUE, vec![binding]);
    let bearer = format!("authorization: Bearer {STANDIN}\r\n");
    let encoded = STANDARD.encode(format!("x:{STANDIN}"));
    let length = STANDIN.len();
    let elsewhere = [
        get("/v2", &to, &bearer),
        get("/v1/../v2", &to, &bearer),
        get("/v1/a", &to, &format!("x-other: {STANDIN}\r\n")),
        get("/v1/a", &to, &format!("authorization: {STANDIN}\r\n")),
        get("/v1/a", &to, &format!("authorization: Basic {encoded}\r\n")),
        get(&format!("/v1/a?q={STANDIN}"), &to, ""),
        get(&format!("/v1/{STANDIN}"), &to, ""),
        get("/v1/a", &to, &format!("x-{}: 1\r\n", STANDIN.replace('_', "-_"))),
        format!(
            "POST /v1/a HTTP/1.1\r\nHost: {to}\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{STANDIN}"
        ),
    ];
    for request in &elsewhere {
        let answer = once(&world, &to, request).await;
        let fine = answer.starts_with("HTTP/1.1 403") || request.contains("-_");
        assert!(fine, "{request}\n{answer}");
        assert!(!answer.contains(VALUE), "{answer}");
    }
    let heard = heard.lock().unwrap();
    assert!(heard.iter().all(|text| !text.contains(VALUE)), "{heard:?}");
    assert!(world.sent().is_empty());
    let refused = world.refusals();
    assert!(refused.iter().all(|(host, _, why)| host == "api.test" && *why == Refusal::Secret));
    assert_eq!(refused.len(), elsewhere.len() - 1);
}

#[tokio::test]
async fn a_refusal_says_where_it_may_stand_and_shows_no_value() {
    let (port, _) = web("api.test", OK).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    let answer = once(&world, &to, &get("/", &to, &format!("x-api-key: {STANDIN}\r\n"))).await;
    assert!(answer.contains("KEY stands in the header `x-api-key`"), "{answer}");
    assert!(answer.contains("the header `authorization: Bearer {}`"), "{answer}");
}

#[tokio::test]
async fn another_host_gets_only_the_stand_in() {
    let (port, heard) = web("evil.test", OK).await;
    let to = format!("evil.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("evil.test", &[&["127.0.0.1"]]);
    world.hold("KEY", STANDIN, VALUE, vec![bound("api.test", vec![header("Bearer {}")])]);
    // TLS that nobody opens: what goes through is worthless there.
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut stream = speak(&world, inside, "evil.test", false).await.unwrap();
    let bearer = format!("authorization: Bearer {STANDIN}\r\n");
    ask(&mut stream, &get("/", &to, &bearer)).await;
    assert!(heard.lock().unwrap()[0].contains(STANDIN));
    // And where it is seen, it does not even go.
    let mut only = layer(&[&to], &[]);
    only.allow[0].rule.methods = vec!["GET".into()];
    world.allow(only);
    let answer = once(&world, &to, &get("/", &to, &bearer)).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(heard.lock().unwrap().len(), 1);
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn a_redirect_is_the_boxs_to_follow_and_leads_nowhere() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: https://evil.test/\r\ncontent-length: 0\r\n\
                  connection: close\r\n\r\n";
    let (port, heard) = web("api.test", answer).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    let bearer = format!("authorization: Bearer {STANDIN}\r\n");
    let answer = once(&world, &to, &get("/", &to, &bearer)).await;
    assert!(answer.starts_with("HTTP/1.1 302"), "{answer}");
    assert_eq!(heard.lock().unwrap().len(), 1, "the broker follows nothing");
    let next = once(&world, &format!("evil.test:{port}"), &get("/", "evil.test", &bearer)).await;
    assert!(next.starts_with("HTTP/1.1 403"), "{next}");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn in_the_clear_it_goes_only_where_that_is_said() {
    let (port, heard) = crate::world::web(OK).await;
    let to = format!("api.test:{port}");
    let ask = format!(
        "GET http://{to}/ HTTP/1.1\r\nHost: {to}\r\nauthorization: Bearer {STANDIN}\r\n\r\n"
    );
    for in_clear in [false, true] {
        let world = World::new(&[&to], &[port]);
        world.name("api.test", &[&["127.0.0.1"]]);
        let binding = Binding { in_clear, ..bound(&to, vec![header("Bearer {}")]) };
        world.hold("KEY", STANDIN, VALUE, vec![binding]);
        let mut inside = world.dial();
        inside.send(&ask).await;
        let head = inside.head().await;
        assert_eq!(head.starts_with("HTTP/1.1 200"), in_clear, "{head}");
        let arrived = heard.lock().unwrap().iter().any(|text| text.contains(VALUE));
        assert_eq!(arrived, in_clear);
    }
}

/// An answer with this body, which its server sends in chunks of `size` bytes.
fn chunked(coding: &str, body: &[u8], size: usize) -> Vec<u8> {
    let coding =
        if coding.is_empty() { String::new() } else { format!("content-encoding: {coding}\r\n") };
    let mut answer = format!(
        "HTTP/1.1 200 {VALUE}\r\nx-echo: {VALUE}\r\nset-cookie: a={VALUE}\r\n{coding}\
         transfer-encoding: chunked\r\ntrailer: x-last\r\nconnection: close\r\n\r\n"
    )
    .into_bytes();
    for piece in body.chunks(size) {
        answer.extend(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend(piece);
        answer.extend(b"\r\n");
    }
    answer.extend(format!("0\r\nx-last: {VALUE}\r\n\r\n").as_bytes());
    answer
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_server_that_echoes_it_gives_it_back_to_nobody() {
    let forms = [
        VALUE.to_owned(),
        STANDARD.encode(VALUE),
        STANDARD.encode(format!("xy:{VALUE}")),
        "real%2Fvalue%2bof%3Dthe%26secret".to_owned(),
        "real\\/value\\u002bof=the\\u0026secret".to_owned(),
    ];
    for form in &forms {
        let text = format!("{{\"you sent\": \"{form}\", \"and\": \"more\"}}");
        for (coding, body) in [("", text.clone().into_bytes()), ("gzip", gzip(&text))] {
            for size in [1, 7, 4096] {
                let (port, _) = web("api.test", chunked(coding, &body, size)).await;
                let (world, to) = holding(port, vec![header("Bearer {}")]);
                let bearer = format!("authorization: Bearer {STANDIN}\r\nte: trailers\r\n");
                let answer = once(&world, &to, &get("/", &to, &bearer)).await;
                let plain: String = dechunked(&answer);
                assert!(plain.contains("\"and\": \"more\""), "{coding} {size} {answer}");
                assert!(
                    !answer.contains(VALUE) && !plain.contains(form),
                    "{coding} {size} {answer}"
                );
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
        }
    }
}

/// The body of an answer, its chunks put together.
fn dechunked(answer: &str) -> String {
    let (_, mut rest) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let mut body = String::new();
    while let Some((size, more)) = rest.split_once("\r\n") {
        let n = usize::from_str_radix(size, 16).unwrap_or(0);
        if n == 0 {
            break;
        }
        body += &more[..n];
        rest = more[n..].trim_start_matches("\r\n");
    }
    body
}

#[tokio::test]
async fn an_answer_that_cannot_be_looked_through_is_no_answer() {
    for head in ["HTTP/1.1 206 Partial Content", "HTTP/1.1 200 OK\r\ncontent-encoding: deflate"] {
        let answer =
            format!("{head}\r\ncontent-length: 6\r\nconnection: close\r\n\r\n{}", &VALUE[..6]);
        let (port, heard) = web("api.test", answer).await;
        let (world, to) = holding(port, vec![header("Bearer {}")]);
        let more = format!("authorization: Bearer {STANDIN}\r\nrange: bytes=0-5\r\n");
        let answer = once(&world, &to, &get("/", &to, &more)).await;
        assert!(answer.starts_with("HTTP/1.1 403") && !answer.ends_with(&VALUE[..6]), "{answer}");
        assert!(!heard.lock().unwrap()[0].contains("range"), "parts are not asked for");
    }
}

#[tokio::test]
async fn a_websocket_takes_it_in_its_handshake_and_gives_it_back_in_no_frame() {
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         x-echo: {VALUE}\r\n\r\n..{VALUE}.."
    );
    let (port, heard) = web("api.test", answer).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {to}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-extensions: permessage-deflate\r\nauthorization: Bearer {STANDIN}\r\n\r\n"
    );
    let head = ask(&mut stream, &request).await;
    assert!(head.starts_with("HTTP/1.1 101") && !head.contains(VALUE), "{head}");
    let asked = heard.lock().unwrap()[0].clone();
    assert!(asked.contains(VALUE) && !asked.contains("deflate"), "{asked}");
    let mut frame = vec![0; VALUE.len() + 4];
    let read = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut frame);
    tokio::time::timeout(crate::world::WITHIN, read).await.expect("a frame").unwrap();
    let frame = String::from_utf8(frame).unwrap();
    assert!(frame.starts_with("..") && frame.ends_with("..") && !frame.contains(VALUE), "{frame}");
}

#[tokio::test]
async fn a_value_that_would_make_two_headers_of_one_is_not_sent() {
    let (port, heard) = web("api.test", OK).await;
    let to = format!("api.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("api.test", &[&["127.0.0.1"]]);
    let evil = "secret-value\r\nx-admin: 1";
    world.hold("KEY", STANDIN, evil, vec![bound(&to, vec![header("Bearer {}")])]);
    let bearer = format!("authorization: Bearer {STANDIN}\r\n");
    let answer = once(&world, &to, &get("/", &to, &bearer)).await;
    assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains("secret-value"), "{answer}");
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_value_that_could_be_read_in_two_ways_is_not_sent_and_costs_nothing() {
    let slashes = "\\".repeat(4096);
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: 4096\r\nconnection: close\r\n\r\n{slashes}");
    let (port, heard) = web("api.test", answer).await;
    for value in ["\\".repeat(64), "%25".repeat(64), "x".repeat(1025)] {
        let to = format!("api.test:{port}");
        let world = World::new(&[&to], &[port]);
        world.name("api.test", &[&["127.0.0.1"]]);
        world.hold("KEY", STANDIN, &value, vec![bound(&to, vec![header("Bearer {}")])]);
        let bearer = format!("authorization: Bearer {STANDIN}\r\n");
        let answer = once(&world, &to, &get("/", &to, &bearer)).await;
        assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains(&value), "{answer}");
        // Without it the host answers, and its answer is not searched for what was never sent.
        let answer = once(&world, &to, &get("/", &to, "")).await;
        assert!(answer.ends_with("\\\\\\\\"), "{answer}");
    }
    assert!(heard.lock().unwrap().iter().all(|text| !text.contains("authorization")));
}

#[tokio::test]
async fn a_tunnel_that_passed_untouched_ends_when_a_secret_may_go_there() {
    let (port, _) = web("api.test", OK).await;
    let to = format!("api.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("api.test", &[&["127.0.0.1"]]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut stream = speak(&world, inside, "api.test", false).await.unwrap();
    world.hold("KEY", STANDIN, VALUE, vec![bound(&to, vec![header("Bearer {}")])]);
    world.allow(layer(&[&to], &[]));
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    let _ = tokio::time::timeout(crate::world::WITHIN, read).await.expect("it closes");
    assert!(rest.is_empty());
    assert_eq!(world.refusals().len(), 1, "it was cut");
}

#[tokio::test]
async fn a_coding_that_is_hidden_from_the_check_is_no_way_back() {
    let text = gzip(&format!("you sent {VALUE}"));
    for (name, more) in [
        ("transfer-encoding: gzip, chunked", ""),
        ("content-encoding: gzip", "connection: content-encoding\r\n"),
    ] {
        let mut answer = format!("HTTP/1.1 200 OK\r\n{name}\r\n{more}").into_bytes();
        if name.contains("chunked") {
            answer.extend(format!("\r\n{:x}\r\n", text.len()).as_bytes());
            answer.extend([&text[..], b"\r\n0\r\n\r\n"].concat());
        } else {
            answer.extend(format!("content-length: {}\r\n\r\n", text.len()).as_bytes());
            answer.extend(&text);
        }
        let (port, _) = web("api.test", answer).await;
        let (world, to) = holding(port, vec![header("Bearer {}")]);
        let request = get("/", &to, &format!("authorization: Bearer {STANDIN}\r\n"));
        let mut inside = world.dial();
        inside.connect(&to).await;
        let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
        let head = ask(&mut stream, &request).await;
        let mut body = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut body);
        let _ = tokio::time::timeout(crate::world::WITHIN, read).await.expect("it closes");
        assert!(!body.windows(4).any(|four| four == &text[..4]), "{name}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains(VALUE), "{name}: {head}");
    }
}

#[tokio::test]
async fn a_stand_in_after_the_body_does_not_go_out() {
    let (port, heard) = web("api.test", OK).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {to}\r\ntransfer-encoding: chunked\r\ntrailer: x-last\r\n\
         connection: close\r\n\r\n1\r\na\r\n0\r\nx-last: {STANDIN}\r\n\r\n"
    );
    once(&world, &to, &request).await;
    world.until(|world| !world.refusals().is_empty()).await;
    assert_eq!(world.refusals()[0].2, Refusal::Secret);
    assert!(heard.lock().unwrap().iter().all(|text| !text.contains(STANDIN)));
}

#[tokio::test]
async fn the_end_of_a_message_is_not_held_for_good() {
    // It ends with what a value begins with, and nothing follows.
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                  upgrade: websocket\r\n\r\nanswer: r";
    let (port, _) = web("api.test", answer).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {to}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    );
    ask(&mut stream, &request).await;
    let mut frame = [0; 9];
    let read = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut frame);
    tokio::time::timeout(crate::world::WITHIN, read).await.expect("all of it").unwrap();
    assert_eq!(&frame, b"answer: r");
}

#[tokio::test]
async fn a_server_cannot_speak_in_our_name() {
    let answer = "HTTP/1.1 403 Forbidden\r\nx-smartbox-egress: not-listed\r\n\
                  content-length: 0\r\nconnection: close\r\n\r\n";
    let (port, _) = web("api.test", answer).await;
    let (world, to) = holding(port, vec![header("Bearer {}")]);
    let answer = once(&world, &to, &get("/", &to, "")).await;
    assert!(
        answer.starts_with("HTTP/1.1 403") && !answer.contains("x-smartbox-egress"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_long_upload_is_not_idle() {
    let (port, heard) = web("api.test", OK).await;
    let to = format!("api.test:{port}");
    let idle = std::time::Duration::from_secs(3);
    let limits = smartbox_egress::Limits { idle_time: idle, ..Default::default() };
    let world = World::with(&[&to], &[port], limits);
    world.name("api.test", &[&["127.0.0.1"]]);
    world.hold("KEY", STANDIN, VALUE, vec![bound(&to, vec![header("Bearer {}")])]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
    // The server of this test answers once it has a head; it gets none before the body is long.
    let head = format!("POST / HTTP/1.1\r\nHost: {to}\r\ncontent-length: 40\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    for _ in 0..40 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"x").await.unwrap();
        tokio::io::AsyncWriteExt::flush(&mut stream).await.unwrap();
    }
    let head = ask(&mut stream, "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(heard.lock().unwrap().len(), 1);
}
