//! What every driver must do.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Conn, Kept, Runtime, RuntimeError, Target};
use smartbox_core::sandbox::{EngineProcess, Phase, Program, SandboxSpec, Shift};
use smartbox_link::wire::EngineOrder;
use smartbox_runtime::Profile;
use smartbox_runtime::sim::Sim;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::bench::{Bench, engine, link, new_id, spec};

/// The port on which the subject's engine echoes.
const ECHO: u16 = 18789;
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

type Specify = dyn Fn(&SmartboxId, u64) -> SandboxSpec + Send + Sync;
type Call = dyn Fn(SmartboxId, u16) -> BoxFuture<'static, ()> + Send + Sync;

/// A driver and what the suite needs to know of it.
pub(crate) struct Subject {
    pub(crate) runtime: Arc<dyn Runtime>,
    /// A specification for this box with this fence.
    pub(crate) spec: Box<Specify>,
    /// An engine that echoes on [`ECHO`].
    pub(crate) echo: EngineOrder,
    /// Makes something inside connect to this listener and send `hello`.
    pub(crate) call: Box<Call>,
    /// The name of what connects.
    pub(crate) caller: &'static str,
}

#[tokio::test]
async fn the_native_driver_conforms() {
    let bench = Bench::new(Profile::Auto).await;
    suite(&native(&bench)).await;
    bench.clean().await;
}

#[tokio::test]
async fn the_simulated_driver_conforms() {
    let sim = Sim::new(Arc::new(|_, conn| Box::pin(echo(conn))));
    let caller = sim.clone();
    suite(&Subject {
        runtime: sim,
        spec: Box::new(|id, fence| spec(id, fence, "/nowhere".into())),
        echo: engine(&["echo"]),
        caller: "sim",
        call: Box::new(move |id, port| {
            let conn = caller.call_out(&id, port).unwrap();
            Box::pin(async move { conn.compat().write_all(b"hello").await.unwrap() })
        }),
    })
    .await;
}

pub(crate) fn native(bench: &Bench) -> Subject {
    let (engine_dir, caller) = (bench.engine_dir.clone(), bench.native.clone());
    Subject {
        runtime: Arc::new(bench.native.clone()),
        spec: Box::new(move |id, fence| spec(id, fence, engine_dir.clone())),
        echo: engine(&["/opt/engine/probe", "echo", "18789"]),
        caller: "probe",
        call: Box::new(move |id, port| {
            let native = caller.clone();
            Box::pin(async move {
                let fence = native.observe(id.clone()).await.unwrap().fence;
                let link = link(&native, &id, fence).await;
                let port = port.to_string();
                let order = crate::bench::order(&["/opt/engine/probe", "visit", &port, "hello"]);
                let mut exec = link.exec(order).await.unwrap();
                // It ends with its box, when it likes.
                tokio::spawn(async move { while let Ok(Some(_)) = exec.next().await {} });
            })
        }),
    }
}

async fn echo(conn: Conn) {
    let (mut read, mut write) = tokio::io::split(conn.compat());
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

/// Everything.
pub(crate) async fn suite(subject: &Subject) {
    absent(subject).await;
    start_and_fences(subject).await;
    engine_and_freeze(subject).await;
    incoming(subject).await;
    kept(subject).await;
    together(subject).await;
}

async fn absent(subject: &Subject) {
    let (runtime, id) = (&subject.runtime, new_id());
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert_eq!((seen.phase, seen.fence), (Phase::Absent, 0));
    let gone = |result: Result<(), RuntimeError>| {
        assert!(matches!(result, Err(RuntimeError::Absent(_))), "{result:?}");
    };
    gone(runtime.dial(id.clone(), Target::Link).await.map(drop));
    gone(runtime.dial(id.clone(), Target::Port(ECHO)).await.map(drop));
    gone(runtime.incoming(id.clone(), 7001).await.map(drop));
    gone(runtime.shift(id.clone(), Shift::Freeze { page_out: false }).await);
    gone(runtime.shift(id.clone(), Shift::Thaw).await);
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    runtime.kept(id, Kept::Forget).await.unwrap();
}

async fn start_and_fences(subject: &Subject) {
    let (runtime, id) = (&*subject.runtime, new_id());
    runtime.start((subject.spec)(&id, 5)).await.unwrap();
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert_eq!((seen.phase, seen.fence), (Phase::Up, 5));
    assert_eq!(seen.engine, EngineProcess::Idle);
    assert!(runtime.list().await.unwrap().iter().any(|seen| seen.id == id));

    let first = link(runtime, &id, 5).await;
    first.engine_start(&subject.echo).await.unwrap();
    first.write("notes/a file", 0o600, Bytes::from_static(b"kept")).await.unwrap();
    runtime.start((subject.spec)(&id, 5)).await.unwrap();
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert_eq!(seen.engine, EngineProcess::Running { starts: 1, last: None }, "the same sandbox");

    let lower = runtime.start((subject.spec)(&id, 4)).await;
    let Err(RuntimeError::Fenced { ours: 4, theirs: 5, .. }) = lower else { panic!("{lower:?}") };
    runtime.start((subject.spec)(&id, 6)).await.unwrap();
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert_eq!((seen.fence, seen.engine), (6, EngineProcess::Idle), "another sandbox");
    let second = link(runtime, &id, 6).await;
    assert_eq!(second.read("notes/a file").await.unwrap().unwrap(), "kept");
    assert!(second.read("absent").await.unwrap().is_none());
    let old = link(runtime, &id, 5).await.status().await;
    assert!(matches!(old, Err(smartbox_link::LinkError::Fenced)), "{old:?}");

    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    assert_eq!(runtime.observe(id.clone()).await.unwrap().phase, Phase::Absent);
    assert!(!runtime.list().await.unwrap().iter().any(|seen| seen.id == id));
    runtime.kept(id, Kept::Forget).await.unwrap();
}

/// Tries until it works.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(mut attempt: impl FnMut() -> F) -> T {
    let all = async {
        loop {
            if let Some(done) = attempt().await {
                return done;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, all).await.unwrap()
}

pub(crate) async fn dial(runtime: &dyn Runtime, id: &SmartboxId) -> Conn {
    until(|| async {
        match runtime.dial(id.clone(), Target::Port(ECHO)).await {
            Ok(conn) => Some(conn),
            Err(RuntimeError::Refused { port: ECHO, .. }) => None,
            Err(e) => panic!("{e:?}"),
        }
    })
    .await
}

async fn engine_and_freeze(subject: &Subject) {
    let (runtime, id) = (&*subject.runtime, new_id());
    runtime.start((subject.spec)(&id, 1)).await.unwrap();
    let refused = runtime.dial(id.clone(), Target::Port(ECHO)).await.map(drop);
    assert!(matches!(refused, Err(RuntimeError::Refused { port: ECHO, .. })), "{refused:?}");
    let link = link(runtime, &id, 1).await;
    link.engine_start(&subject.echo).await.unwrap();
    let mut conn = dial(runtime, &id).await.compat();
    conn.write_all(b"one").await.unwrap();
    let mut three = [0; 3];
    tokio::time::timeout(DEADLINE, conn.read_exact(&mut three)).await.unwrap().unwrap();
    assert_eq!(&three, b"one");

    for _ in 0..2 {
        runtime.shift(id.clone(), Shift::Freeze { page_out: true }).await.unwrap();
    }
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert_eq!(seen.phase, Phase::Frozen);
    assert_eq!(
        seen.engine,
        EngineProcess::Running { starts: 1, last: None },
        "init answers while frozen"
    );
    conn.write_all(b"two").await.unwrap();
    let mut late = dial(runtime, &id).await.compat();
    late.write_all(b"six").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), conn.read_exact(&mut three)).await;
    assert!(early.is_err(), "a frozen engine answered");
    assert_eq!(runtime.observe(id.clone()).await.unwrap().phase, Phase::Frozen);

    for _ in 0..2 {
        runtime.shift(id.clone(), Shift::Thaw).await.unwrap();
    }
    tokio::time::timeout(DEADLINE, conn.read_exact(&mut three)).await.unwrap().unwrap();
    assert_eq!(&three, b"two");
    tokio::time::timeout(DEADLINE, late.read_exact(&mut three)).await.unwrap().unwrap();
    assert_eq!(&three, b"six");
    assert_eq!(runtime.observe(id.clone()).await.unwrap().phase, Phase::Up);

    link.engine_stop(Duration::from_secs(5)).await.unwrap();
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert!(matches!(seen.engine, EngineProcess::Ended { .. }), "{seen:?}");
    runtime.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    assert_eq!(runtime.observe(id.clone()).await.unwrap().phase, Phase::Absent);
    runtime.kept(id, Kept::Forget).await.unwrap();
}

async fn incoming(subject: &Subject) {
    let (runtime, id) = (&*subject.runtime, new_id());
    runtime.start((subject.spec)(&id, 1)).await.unwrap();
    let none = runtime.incoming(id.clone(), 9).await.map(drop);
    assert!(matches!(none, Err(RuntimeError::Refused { port: 9, .. })), "{none:?}");
    // Made while nobody listens: it waits.
    (subject.call)(id.clone(), 7001).await;
    for _ in 0..2 {
        let mut calls = runtime.incoming(id.clone(), 7001).await.unwrap();
        let next = tokio::time::timeout(DEADLINE, calls.next()).await.unwrap();
        let mut heard = [0; 5];
        let next = next.unwrap();
        let mut conn = next.conn.compat();
        tokio::time::timeout(DEADLINE, conn.read_exact(&mut heard)).await.unwrap().unwrap();
        assert_eq!(&heard, b"hello");
        let program = tokio::time::timeout(DEADLINE, next.program).await.unwrap();
        assert_eq!(program, Program::new(subject.caller.as_bytes()));
        drop((calls, conn));
        // And so it is for whoever holds the stream next, as after a restart of the platform.
        (subject.call)(id.clone(), 7001).await;
    }
    let mut calls = runtime.incoming(id.clone(), 7002).await.unwrap();
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    let end = tokio::time::timeout(DEADLINE, calls.next()).await.unwrap();
    assert!(end.is_none(), "it ends with the sandbox");
    runtime.kept(id, Kept::Forget).await.unwrap();
}

async fn kept(subject: &Subject) {
    let (runtime, id) = (&*subject.runtime, new_id());
    runtime.start((subject.spec)(&id, 1)).await.unwrap();
    link(runtime, &id, 1).await.write("f", 0o600, Bytes::from_static(b"x")).await.unwrap();
    assert!(runtime.kept(id.clone(), Kept::Forget).await.is_err(), "its sandbox is there");
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    for what in [Kept::Log { from: 1 << 40 }, Kept::LogTail { bytes: 10 }] {
        runtime.kept(id.clone(), what).await.unwrap();
    }
    runtime.kept(id.clone(), Kept::Forget).await.unwrap();
    runtime.kept(id.clone(), Kept::Forget).await.unwrap();
    runtime.start((subject.spec)(&id, 2)).await.unwrap();
    assert!(link(runtime, &id, 2).await.read("f").await.unwrap().is_none(), "the home is gone");
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    runtime.kept(id, Kept::Forget).await.unwrap();
}

/// Two starts at once are one start; a start and a removal at once are one or the other.
async fn together(subject: &Subject) {
    let (runtime, id) = (&*subject.runtime, new_id());
    let start = || runtime.start((subject.spec)(&id, 1));
    let (a, b, c) = tokio::join!(start(), start(), start());
    for result in [a, b, c] {
        result.unwrap();
    }
    assert_eq!(runtime.list().await.unwrap().iter().filter(|seen| seen.id == id).count(), 1);
    let (started, removed) = tokio::join!(start(), runtime.shift(id.clone(), Shift::Remove));
    started.unwrap();
    removed.unwrap();
    let seen = runtime.observe(id.clone()).await.unwrap();
    assert!(matches!((seen.phase, seen.fence), (Phase::Up, 1) | (Phase::Absent, 0)), "{seen:?}");
    runtime.shift(id.clone(), Shift::Remove).await.unwrap();
    runtime.kept(id, Kept::Forget).await.unwrap();
}
