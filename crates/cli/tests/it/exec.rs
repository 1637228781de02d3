//! Commands in a box.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::BytesMut;
use http_body_util::BodyExt;
use smartbox_api::exec::{Exit, Frame};
use smartbox_api::problem::Code;
use tokio::sync::{Notify, mpsc};

use crate::fake::{Fake, Pieces, pieces, refuse};
use crate::run::{LONG, end, run, run_with, signal, start};

fn send(pieces: &Pieces, frame: &Frame) {
    let mut out = BytesMut::new();
    frame.encode(&mut out);
    let _ = pieces.send(Ok(out.freeze()));
}

/// Reads the caller's frames as they come; the channel closes when the caller is gone.
fn frames(mut body: Body) -> mpsc::UnboundedReceiver<Frame> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = BytesMut::new();
        while let Some(Ok(part)) = body.frame().await {
            buffer.extend_from_slice(part.data_ref().unwrap());
            while let Some(frame) = Frame::decode(&mut buffer).unwrap() {
                let _ = sender.send(frame);
            }
        }
    });
    receiver
}

/// A box in which every command copies its input to both outputs, and ends like this.
fn cat(last: Frame, order: Arc<Mutex<Option<Frame>>>) -> Router {
    let handler = post(move |body: Body| async move {
        let mut input = frames(body);
        *order.lock().unwrap() = input.recv().await;
        let (pieces, body) = pieces();
        tokio::spawn(async move {
            while let Some(frame) = input.recv().await {
                match frame {
                    Frame::Stdin(bytes) => {
                        send(&pieces, &Frame::Stdout(bytes));
                        send(&pieces, &Frame::Stderr("heard\n".into()));
                    }
                    _ => break,
                }
            }
            send(&pieces, &last);
        });
        body.into_response()
    });
    Router::new().route("/api/v1/boxes/pa/exec", handler)
}

fn plain() -> Exit {
    Exit::default()
}

#[tokio::test]
async fn bytes_go_both_ways_and_the_exit_code_comes_back() {
    let order = Arc::default();
    let fake = Fake::new(cat(Frame::Exit(Exit { code: Some(7), ..plain() }), Arc::clone(&order)));
    let args =
        ["exec", "pa", "--timeout", "5s", "-w", "sub", "-e", "A=b=c", "--", "cat", "-n", "a b"];
    let input = "line\n".repeat(20_000);
    let ended = run_with(fake.dir(), &args, input.as_bytes()).await;
    assert_eq!((ended.code, ended.out.len()), (Some(7), input.len()), "{}", ended.err);
    assert_eq!(ended.out, input);
    assert!(ended.err.starts_with("heard\n"));
    let Some(Frame::Order(order)) = order.lock().unwrap().take() else { panic!("no order") };
    assert_eq!(order.argv, ["cat", "-n", "a b"], "no shell in between");
    assert_eq!((order.timeout_ms, order.cwd.as_deref()), (Some(5_000), Some("sub")));
    assert_eq!((order.env["A"].as_str(), order.tty), ("b=c", None));
}

#[tokio::test]
async fn every_end_has_its_code() {
    let signalled = Exit { signal: Some(9), ..plain() };
    for (last, code) in [
        (Frame::Exit(Exit { code: Some(0), ..plain() }), 0),
        (Frame::Exit(signalled), 137),
        (Frame::Exit(Exit { timed_out: true, ..signalled }), 124),
        (Frame::Failed("no such program".into()), 125),
    ] {
        let fake = Fake::new(cat(last.clone(), Arc::default()));
        let ended = run(fake.dir(), &["exec", "pa", "--", "true"]).await;
        assert_eq!(ended.code, Some(code), "{last:?} {ended:?}");
    }
}

#[tokio::test]
async fn what_is_not_the_commands_own_is_125() {
    let off = post(|| async { refuse(Code::Off, "It is off.", "Start it.") });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/exec", off));
    let ended = run(fake.dir(), &["exec", "pa", "--", "true"]).await;
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (Some(125), "error: It is off.\nhint: Start it.\n")
    );
    let broken = post(|| async {
        let (pieces, body) = pieces();
        send(&pieces, &Frame::Stdout("half".into()));
        let _ = pieces.send(Err(crate::fake::BrokenOff));
        body.into_response()
    });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/exec", broken));
    let ended = run(fake.dir(), &["exec", "pa", "--", "true"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(125), "half"), "{ended:?}");
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run(dir.path(), &["exec", "pa", "--", "true"]).await.code, Some(125));
}

#[tokio::test]
async fn ctrl_c_ends_the_request_which_kills_the_command() {
    let (begun, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, over) = (begun.clone(), gone.clone());
    let handler = post(move |body: Body| async move {
        let mut input = frames(body);
        let (held, body) = pieces();
        send(&held, &Frame::Stdout("running\n".into()));
        tokio::spawn(async move {
            tell.notify_one();
            while input.recv().await.is_some() {}
            over.notify_one();
            drop(held);
        });
        body.into_response()
    });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/exec", handler));
    let child = start(fake.dir(), &["exec", "pa", "--", "sleep", "9999"]);
    begun.notified().await;
    signal(&child, rustix::process::Signal::INT);
    assert_eq!(end(child).await.code, Some(130));
    tokio::time::timeout(LONG, gone.notified()).await.unwrap();
}

#[tokio::test]
async fn a_box_that_sends_nonsense_is_not_believed() {
    let handler = post(|| async { Body::from(vec![b'o', 0xff, 0xff, 0xff, 0xff]).into_response() });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/exec", handler));
    let ended = run(fake.dir(), &["exec", "pa", "--", "true"]).await;
    assert_eq!(ended.code, Some(125));
    assert!(ended.err.contains("not understood"), "{ended:?}");
}
