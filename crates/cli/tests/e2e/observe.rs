//! What an operator sees of a real platform from outside.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::platform::Platform;

const BOOT: Duration = Duration::from_secs(120);

/// A configuration with the pretend engine.
fn puppet() -> String {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    format!("[engine]\nname = \"puppet\"\npath = {puppet:?}\n")
}

/// A port that is free now.
fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Head and body of the answer.
fn get(port: u16, host: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
}

#[test]
fn prometheus_reads_from_a_listener_of_its_own() {
    let port = free();
    let config = format!("{}[metrics]\nlisten = \"{port}\"\n", puppet());
    let platform = Platform::start(&config, &[]);
    platform.wait_for("pa", "running", BOOT);
    platform.ok(["chat", "pa", "hello"]);
    platform.ok(["exec", "pa", "--", "true"]);

    let (head, text) = get(port, "127.0.0.1", "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(sample(&text, "smartbox_wake_duration_seconds_count{from=\"stopped\"}"), 1.0);
    assert_eq!(sample(&text, "smartbox_turn_duration_seconds_count{outcome=\"answered\"}"), 1.0);
    assert!(sample(&text, "smartbox_model_calls_total{provider=\"demo\",status=\"200\"}") >= 1.0);
    assert!(sample(&text, "smartbox_model_tokens_total{provider=\"demo\",kind=\"output\"}") >= 1.0);
    assert_eq!(sample(&text, "smartbox_exec_duration_seconds_count"), 1.0);
    assert!(sample(&text, "smartbox_machine_memory_size_bytes") > 0.0);
    assert!(!text.contains(&platform.id("pa")), "{text}");

    // It has nothing else, and answers nobody who was led here by another name.
    assert!(get(port, "127.0.0.1", "/api/v1/boxes").0.starts_with("HTTP/1.1 404 "));
    let (head, text) = get(port, "evil.example", "/metrics");
    assert!(head.starts_with("HTTP/1.1 421 ") && !text.contains("smartbox_boxes"), "{head} {text}");
}

/// A collector of traces: what it was sent, whole and understood.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Vec<u8>>>>);

impl Collector {
    fn start() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = Self::default();
        let kept = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = kept.clone();
                // The platform may hang up whenever it likes.
                std::thread::spawn(move || drop(kept.serve(&stream)));
            }
        });
        (collector, port)
    }

    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head)? == 0 {
                    return Ok(());
                }
            }
            assert!(head.starts_with("POST /v1/traces "), "{head}");
            let head = head.to_ascii_lowercase();
            assert!(head.contains("content-type: application/x-protobuf"), "{head}");
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body)?;
            self.0.lock().unwrap().push(body);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    fn spans(&self) -> Vec<Span> {
        let read = |body: Vec<u8>| ExportTraceServiceRequest::decode(&*body).unwrap();
        let resources = self.bodies().into_iter().flat_map(|body| read(body).resource_spans);
        let scopes = resources.flat_map(|resource| {
            let about = resource.resource.unwrap_or_default().attributes;
            let known = ["service.name", "service.version", "telemetry.sdk."];
            let ours = |key: &str| known.iter().any(|known| key.starts_with(known));
            assert!(about.iter().all(|kv| ours(&kv.key)), "{about:?}");
            resource.scope_spans
        });
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + BOOT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {BOOT:?} in vain");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Sends a message by TCP, as a program with the master token does; the answer's head and body.
fn post(port: u16, path: &str, headers: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n{headers}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

const MASTER: &str = "canary-master-token-0123456789";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_request_is_followed_to_the_model_and_nothing_said_goes_along() {
    let (collector, port) = Collector::start();
    let config = format!("{}[traces]\nendpoint = \"http://127.0.0.1:{port}\"\n", puppet());
    let env = [
        ("MOLTBOT_GATEWAY_MASTER_TOKEN", MASTER),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("SMARTBOX_LOG", "debug"),
    ];
    let platform = Platform::start(&config, &env);
    platform.wait_for("pa", "running", BOOT);
    platform.ok(["sleep", "pa"]);
    platform.wait_for("pa", "frozen", BOOT);
    let headers = format!(
        "authorization: Bearer {MASTER}\r\ntraceparent: 00-{TRACE}-{CALLER}-01\r\n\
         tracestate: vendor=canary-state\r\nbaggage: who=canary-baggage\r\n"
    );
    let text = r#"{"text": "canary-text, said by canary-person"}"#;
    let (head, body) = post(platform.port, "/api/v1/boxes/pa/messages", &headers, text);
    assert!(
        head.starts_with("HTTP/1.1 202 ") || head.starts_with("HTTP/1.1 201 "),
        "{head} {body}"
    );

    // The last to end is the turn, or the call of the model within it.
    let names = [
        "request",
        "turn",
        "control.wake",
        "box.step",
        "runtime.shift",
        "engine.chat",
        "model.call",
    ];
    let spans = until(|| {
        let all = collector.spans();
        let ours: Vec<Span> = all.into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
        names.iter().all(|name| ours.iter().any(|span| span.name == *name)).then_some(ours)
    });
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let parent = |name: &str| hex(&find(name).parent_span_id);
    let id = |name: &str| hex(&find(name).span_id);
    assert_eq!(parent("request"), CALLER, "the caller's trace goes on");
    assert_eq!(parent("turn"), id("request"));
    assert_eq!(parent("control.wake"), id("turn"));
    let mut steps = spans.iter().filter(|span| span.name == "box.step");
    assert!(steps.all(|step| hex(&step.parent_span_id) == id("control.wake")), "{spans:#?}");
    let mut steps = spans.iter().filter(|span| span.name == "box.step");
    assert!(steps.any(|step| hex(&step.span_id) == parent("runtime.shift")), "{spans:#?}");
    assert_eq!(parent("engine.chat"), id("turn"));
    assert_eq!(parent("model.call"), id("turn"));
    let ended = |name: &str| find(name).end_time_unix_nano;
    assert!(
        ended("request") < ended("turn"),
        "a request does not last as long as what it leads to"
    );

    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/operations.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for span in collector.spans() {
        assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
        assert!(
            guide.contains(&format!("`{}`", span.name)),
            "the guide does not know {}",
            span.name
        );
        for attribute in &span.attributes {
            assert!(guide.contains(&format!("`{}`", attribute.key)), "{span:?}");
        }
    }
    for body in collector.bodies() {
        assert!(
            memchr::memmem::find(&body, b"canary").is_none(),
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
    // Nor does the log say it, as much as it says.
    let log = std::fs::read_to_string(platform.path("logs/platform.log")).unwrap();
    assert!(log.contains("answered") && !log.contains("canary"), "{log}");
}

#[test]
fn a_collector_that_never_answers_keeps_nobody_waiting() {
    // Connections are taken, by the kernel, and nobody reads them.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hole.local_addr().unwrap().port();
    let config = format!("{}[traces]\nendpoint = \"http://127.0.0.1:{port}\"\n", puppet());
    let env = [
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
    ];
    let mut platform = Platform::start(&config, &env);
    platform.wait_for("pa", "running", BOOT);
    platform.ok(["chat", "pa", "hello"]);
    // More than the queue holds.
    for _ in 0..40 {
        platform.ok(["ls"]);
    }
    drop(hole);
    let log = || std::fs::read_to_string(platform.path("logs/platform.log")).unwrap();
    let told = "traces are not taken by the collector";
    until(|| log().contains(told).then_some(()));
    for _ in 0..40 {
        platform.ok(["ls"]);
    }
    assert_eq!(log().matches(told).count(), 1, "it is said once: {}", log());
    platform.term();
}
