//! On a terminal: raw keys to the command, its size, and the terminal as it was afterwards.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::BytesMut;
use http::StatusCode;
use http_body_util::BodyExt;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;
use smartbox_api::exec::{Exit, Frame, TtySize};

use crate::devices;
use crate::fake::{Fake, pieces};
use crate::run::{LONG, command};

#[tokio::test]
async fn keys_go_through_unread_and_the_terminal_comes_back() {
    let heard: Arc<Mutex<Vec<Frame>>> = Arc::default();
    let keep = heard.clone();
    let handler = post(move |mut body: Body| async move {
        let (out, answer) = pieces();
        tokio::spawn(async move {
            let mut buffer = BytesMut::new();
            while let Some(Ok(part)) = body.frame().await {
                buffer.extend_from_slice(part.data_ref().unwrap());
                while let Some(frame) = Frame::decode(&mut buffer).unwrap() {
                    let reply = match &frame {
                        Frame::Order(_) => Some(Frame::Stdout("ready".into())),
                        Frame::Stdin(bytes) if bytes.contains(&3) => {
                            Some(Frame::Exit(Exit { code: Some(5), ..Exit::default() }))
                        }
                        _ => None,
                    };
                    keep.lock().unwrap().push(frame);
                    if let Some(reply) = reply {
                        let mut bytes = BytesMut::new();
                        reply.encode(&mut bytes);
                        let _ = out.send(Ok(bytes.freeze()));
                    }
                }
            }
        });
        answer.into_response()
    });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/exec", handler));

    let (ours, theirs) = terminal(101, 33);
    let before = tcgetattr(&theirs).unwrap().local_modes;
    let stdio = || Stdio::from(theirs.try_clone().unwrap());
    let mut child = command(fake.dir(), &["exec", "-t", "-i", "pa", "--", "top"])
        .stdin(stdio())
        .stdout(stdio())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();

    let mut screen = std::fs::File::from(ours);
    let mut keyboard = screen.try_clone().unwrap();
    let seen = tokio::task::spawn_blocking(move || {
        let mut shown = Vec::new();
        let mut byte = [0];
        while !shown.ends_with(b"ready") {
            screen.read_exact(&mut byte).unwrap();
            shown.push(byte[0]);
        }
        (shown, screen)
    });
    let (shown, _screen) = tokio::time::timeout(LONG, seen).await.unwrap().unwrap();
    assert_eq!(shown, b"ready");
    assert!(!tcgetattr(&theirs).unwrap().local_modes.contains(LocalModes::ICANON), "raw");
    // Ctrl-C is a key like any other here: it is the command's to heed.
    keyboard.write_all(b"q\x03").unwrap();
    let status = tokio::time::timeout(LONG, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(5));
    assert_eq!(tcgetattr(&theirs).unwrap().local_modes, before, "as it was");
    let heard = heard.lock().unwrap();
    let Frame::Order(order) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!(order.tty, Some(TtySize { cols: 101, rows: 33 }));
    assert!(order.env.contains_key("TERM"));
}

/// A terminal of this size, from both of its sides.
fn terminal(cols: u16, rows: u16) -> (OwnedFd, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    tcsetwinsize(&theirs, Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 })
        .unwrap();
    (ours, theirs)
}

#[tokio::test]
async fn a_login_draws_its_address_where_a_terminal_has_room() {
    let device = "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793";
    let granted = json!({
        "access_token": "sbd_a-token", "token_type": "DPoP", "scope": "chat", "device": device,
    });
    for (cols, args, drawn) in [(80, &["--qr"][..], true), (20, &["--qr"], false), (80, &[], false)]
    {
        let home = tempfile::tempdir().unwrap();
        let (_fake, url) = Fake::tcp(devices::platform((StatusCode::OK, granted.clone()))).await;
        let (ours, theirs) = terminal(cols, 40);
        let args: Vec<&str> = ["login", &url].iter().chain(args).copied().collect();
        let child = command(home.path(), &args)
            .env_remove("SMARTBOX_DATA_DIR")
            .env("HOME", home.path())
            .stdout(Stdio::from(theirs.try_clone().unwrap()))
            .stderr(Stdio::from(theirs))
            .spawn()
            .unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            let mut shown = Vec::new();
            // Ends with an error when the other side is closed; what came until then is there.
            let _ = std::fs::File::from(ours).read_to_end(&mut shown);
            String::from_utf8(shown).unwrap()
        });
        let ended = tokio::time::timeout(LONG, child.wait_with_output()).await.unwrap().unwrap();
        let shown = tokio::time::timeout(LONG, reading).await.unwrap().unwrap();
        assert!(ended.status.success(), "{shown}");
        let code = shown.contains('\u{2588}') && shown.contains("\u{1b}[38;5;16;48;5;231m");
        assert_eq!(code, drawn, "{cols}: {shown}");
        assert_eq!(shown.contains("make the terminal wider"), cols == 20, "{shown}");
        assert!(shown.contains("BCDF-GHJK"), "{shown}");
    }
}
