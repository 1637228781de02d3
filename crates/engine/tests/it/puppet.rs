//! What only puppet can be asked: hundreds of kills, and a life without a process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use smartbox_core::BoxFuture;
use smartbox_core::engine::port::{Engine, EngineError};
use smartbox_core::engine::{Health, Role, Settings, Turn, TurnEvent};
use smartbox_core::message::{Redelivery, redeliver};
use smartbox_core::sandbox::port::{Conn, Dial, RuntimeError};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_engine::conformance::Process;
use smartbox_engine::openclaw::OpenClaw;
use smartbox_engine::puppet::{Options, Play, Puppet};
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::conformance::puppet;

fn turn(key: &str, text: &str) -> Turn {
    Turn { session: "main".into(), text: text.into(), idempotency_key: key.into() }
}

/// Sends until it is answered, whatever happens to the engine meanwhile.
async fn insist(process: &Process, turn: &Turn) -> String {
    loop {
        let events = process.engine.chat(process.dial(), turn.clone()).await;
        if let Ok(mut events) = events {
            while let Some(event) = events.next().await {
                match event {
                    Ok(TurnEvent::Answered(text)) => return text,
                    Ok(TurnEvent::Failed(why)) => panic!("{why}"),
                    Ok(_) => {}
                    Err(EngineError::Interrupted) => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn killed_again_and_again_it_has_every_message_once() {
    const MESSAGES: usize = 24;
    let home = tempfile::tempdir().unwrap();
    let process = puppet(home.path()).await.unwrap();
    let process =
        Arc::new(process.with_env("PUPPET_ECHO", "1").with_env("PUPPET_RECOVERY_MS", "5"));
    process.boot().await.unwrap();
    let writer = {
        let process = Arc::clone(&process);
        tokio::spawn(async move {
            for n in 0..MESSAGES {
                let text = format!("message {n} slow:{}", n % 4 * 10);
                let answer = insist(&process, &turn(&format!("key-{n}"), &text)).await;
                assert!(answer.contains(&format!("message {n} ")), "{answer}");
            }
        })
    };
    // Kills at odd moments, until all is said.
    let mut step = 7_u64;
    while !writer.is_finished() {
        step = step * 31 % 97;
        tokio::time::sleep(Duration::from_millis(20 + step)).await;
        process.kill().await.unwrap();
        process.start().await.unwrap();
    }
    writer.await.unwrap();
    process.kill().await.unwrap();
    process.boot().await.unwrap();
    let history = process.engine.history(&*process.dial(), "main", 1_000).await.unwrap();
    for n in 0..MESSAGES {
        let key = format!("key-{n}");
        let mine = |e: &&smartbox_core::engine::HistoryEntry| {
            e.role == Role::Person && e.idempotency_key.as_deref() == Some(key.as_str())
        };
        assert_eq!(history.iter().filter(mine).count(), 1, "{key}");
    }
    process.kill().await.unwrap();
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_453_676_110)
    }
}

struct Nowhere;

impl Dial for Nowhere {
    fn dial(&self, _: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        Box::pin(async { Err(RuntimeError::Unsupported { why: "there is no way out".into() }) })
    }
}

/// The way into a puppet of this process.
struct Within(Puppet);

impl Dial for Within {
    fn dial(&self, _: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let puppet = self.0.clone();
        tokio::spawn(async move { puppet.serve(theirs).await });
        Box::pin(async move { Ok(Box::pin(ours.compat()) as Conn) })
    }
}

fn within(home: &Path, engine: &OpenClaw) -> Result<Puppet, Box<dyn std::error::Error>> {
    let settings = Settings {
        origins: vec![],
        model_token: "t".into(),
        model: "default".into(),
        owner: "me@smartbox".into(),
    };
    std::fs::create_dir_all(home.join(".openclaw"))?;
    let config = home.join(&engine.manifest().config);
    std::fs::write(config, engine.configure(None, &settings).bytes)?;
    Ok(Puppet::open(Options {
        home: home.to_owned(),
        outbound: Arc::new(Nowhere),
        clock: Arc::new(Still),
        play: Play { echo: true, ..Play::default() },
    })?)
}

#[tokio::test]
async fn it_lives_without_a_process_and_dies_like_one() {
    let home = tempfile::tempdir().unwrap();
    let engine = OpenClaw::puppet().unwrap();
    let puppet = within(home.path(), &engine).unwrap();
    let dial: Arc<dyn Dial> = Arc::new(Within(puppet.clone()));
    assert_eq!(engine.health(&*dial).await.unwrap(), Health::Ready);
    let second = within(home.path(), &engine).err().unwrap();
    assert!(second.to_string().contains("another process owns"), "{second}");

    let id: smartbox_core::id::MessageId = "msg_00000000000000000001".parse().unwrap();
    let events = engine.chat(Arc::clone(&dial), turn(id.as_str(), "hello")).await.unwrap();
    let last = events.map(Result::unwrap).collect::<Vec<_>>().await.pop().unwrap();
    assert_eq!(last, TurnEvent::Answered("echo 1: hello".into()));
    puppet.kill();
    puppet.ended().await;
    drop((puppet, dial));

    let again = loop {
        // The lock goes with the last task of the killed one.
        match within(home.path(), &engine) {
            Ok(puppet) => break puppet,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let history = engine.history(&Within(again.clone()), "main", 10).await.unwrap();
    assert_eq!(redeliver(&id, &history), Redelivery::Take("echo 1: hello".into()));
    again.drain().await;
}

#[tokio::test]
async fn a_turn_without_a_model_fails_in_words() {
    let home = tempfile::tempdir().unwrap();
    let process = puppet(home.path()).await.unwrap();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let path = home.path().join(&process.engine.manifest().config);
    let config = std::fs::read_to_string(&path).unwrap();
    let model = format!("http://127.0.0.1:{}", process.model.port());
    std::fs::write(&path, config.replace(&model, &format!("http://127.0.0.1:{port}"))).unwrap();
    process.boot().await.unwrap();
    let said = turn("key", "hello");
    for attempt in ["first", "again, from the transcript"] {
        let events = process.engine.chat(process.dial(), said.clone()).await.unwrap();
        let last = events.map(Result::unwrap).collect::<Vec<_>>().await.pop();
        assert!(matches!(last, Some(TurnEvent::Failed(_))), "{attempt}: {last:?}");
    }
    process.kill().await.unwrap();
}
