//! How init begins and ends, and what others can do to it.

use std::process::Command;

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use smartbox_link::wire::{self, Refusal};
use tokio::net::UnixStream;

use crate::house::{FENCE, House, Plan, command, gone, order, pid_in, run, runs, script};

#[tokio::test]
async fn when_the_lease_is_free_the_box_ends_itself() {
    let mut house = House::new();
    let link = house.link().await;
    let mut order =
        order("setsid sh -c 'echo $$ >daemon; exec sleep 1000' & echo $$ >main; exec sleep 1000");
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    let exec = link.exec(script("echo $$ >exec; exec sleep 1000")).await.unwrap();
    let mut pids = Vec::new();
    for name in ["daemon", "main", "exec"] {
        pids.push(pid_in(&house.home().join(name)).await);
    }
    house.let_go();
    assert_eq!(house.ended().code(), Some(15));
    for pid in pids {
        assert!(!runs(pid), "{pid}");
    }
    drop(exec);
}

#[tokio::test]
async fn asked_to_end_it_ends_the_engine_first() {
    let mut house = House::new();
    let link = house.link().await;
    let mut order = order(
        "trap 'echo last words; echo bye >bye; exit 0' TERM; echo $$ >main; while :; do sleep 0.02; done",
    );
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    let main = pid_in(&house.home().join("main")).await;
    house.terminate();
    assert_eq!(house.ended().code(), Some(0));
    gone(main).await;
    assert_eq!(std::fs::read_to_string(house.home().join("bye")).unwrap(), "bye\n");
    assert!(house.text("exits").contains("\"code\":0"));
    let log = house.text("log");
    let (_, after) = log.split_once("last words\n").unwrap();
    assert!(after.contains("Z [init] the engine was stopped"), "{log}");
}

#[tokio::test]
async fn asked_twice_it_does_not_wait() {
    // On a busy machine a single round may take as long as the grace by itself.
    for _ in 0..4 {
        let mut house = House::new();
        let link = house.link().await;
        let mut order =
            order("trap 'echo heard >heard' TERM; echo $$ >main; while :; do sleep 0.02; done");
        order.cwd = house.document.home.clone();
        link.engine_start(&order).await.unwrap();
        let main = pid_in(&house.home().join("main")).await;
        let asked = std::time::Instant::now();
        house.terminate();
        crate::house::until(async || house.home().join("heard").exists().then_some(())).await;
        house.terminate();
        assert_eq!(house.ended().code(), Some(0));
        assert!(!runs(main));
        if asked.elapsed().as_secs() < 10 {
            return;
        }
    }
    panic!("it waits for the whole grace");
}

#[tokio::test]
async fn processes_of_the_box_cannot_look_into_it() {
    let house = House::new();
    let link = house.link().await;
    assert!(link.status().await.unwrap().confined.contains(&"non-dumpable-init".to_owned()));
    let init = house.pid().as_raw_pid();
    // Root may look anyway, so the attacker is nobody, as is the init that it attacks: what counts
    // is that the kernel gives the files of a non-dumpable process to root.
    let owner = std::os::unix::fs::MetadataExt::uid(
        &std::fs::metadata(format!("/proc/{init}/fd")).unwrap(),
    );
    assert_eq!(owner, 0);
    let said =
        run(&link, command(&["sh", "-c", "ls -l /proc/self/fd | grep -c socket"]), b"").await;
    assert_eq!(said.stdout, "0\n", "no socket of init's in a child");
}

/// One request as raw as it gets: its status and, for refusals, its sentence.
async fn raw(house: &House, request: http::Request<Vec<u8>>) -> (u16, String) {
    let stream = UnixStream::connect(house.dir.path().join("link")).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = request.map(|bytes| Full::new(bytes::Bytes::from(bytes)));
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let refusal = serde_json::from_slice::<Refusal>(&bytes).map(|refusal| refusal.message);
    (status, refusal.unwrap_or_default())
}

fn request(method: &str, path: &str, fence: Option<&str>, body: &[u8]) -> http::Request<Vec<u8>> {
    let mut builder = http::Request::builder().method(method).uri(format!("http://init{path}"));
    if let Some(fence) = fence {
        builder = builder.header(wire::FENCE_HEADER, fence);
    }
    builder.body(body.to_vec()).unwrap()
}

#[tokio::test]
async fn requests_that_are_not_understood_are_refused_with_a_sentence() {
    let house = House::new();
    let fence = FENCE.to_string();
    let fence = Some(fence.as_str());
    let long = vec![b' '; (1 << 20) + 1];
    let cases = [
        (request("GET", wire::STATUS, None, b""), 400),
        (request("GET", wire::STATUS, Some("-1"), b""), 400),
        (request("GET", wire::STATUS, Some("6"), b""), 409),
        (request("POST", wire::STATUS, fence, b""), 405),
        (request("GET", "/v1/nothing", fence, b""), 404),
        (request("PUT", wire::ENGINE, fence, b"{}"), 400),
        (request("PUT", wire::ENGINE, fence, &long), 413),
        (request("DELETE", "/v1/engine?grace_ms=soon", fence, b""), 400),
        (request("POST", wire::EXECS, fence, b"x\0\0\0\0"), 400),
        (request("POST", wire::EXECS, fence, b"z\0\0\0\0"), 400),
        (request("POST", wire::EXECS, fence, &[b'c', 0xff, 0xff, 0xff, 0xff]), 400),
        (request("POST", wire::EXECS, fence, b"c\0\0\0\x02{}"), 400),
        (request("DELETE", "/v1/execs?id=x", fence, b""), 400),
        (request("GET", wire::FILES, fence, b""), 400),
        (request("GET", "/v1/files?path=%zz", fence, b""), 400),
        (request("PUT", "/v1/files?path=a&mode=9", fence, b""), 400),
        (request("PUT", "/v1/files?path=a&path=b", fence, b""), 400),
    ];
    for (request, expected) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let (status, message) = raw(&house, request).await;
        assert_eq!(status, expected, "{what}");
        assert!(!message.is_empty(), "{what}");
    }
    assert_eq!(raw(&house, request("GET", wire::STATUS, fence, b"")).await.0, 200);
}

#[test]
fn without_its_descriptors_it_says_what_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_smartbox-init")).output().unwrap();
    assert_eq!(output.status.code(), Some(11));
    assert!(String::from_utf8_lossy(&output.stderr).contains("descriptor 3"), "{output:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_by_the_exit_code() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut house = House::build(Plan { listeners: vec![port], ..Plan::default() });
    assert_eq!(house.ended().code(), Some(12));
}
