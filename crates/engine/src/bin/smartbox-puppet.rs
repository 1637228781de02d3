//! `smartbox-puppet`: the pretend engine as a program, started where OpenClaw would be.
//!
//! It reads `$HOME/.openclaw/openclaw.json` and the `PUPPET_*` variables (see
//! [`smartbox_engine::puppet::Play`]), listens on the loopback port that the configuration names,
//! ends with 78 if it refuses the configuration, and drains on SIGTERM. With the argument `doctor` it only
//! looks at its configuration and its journal, beside one that runs too.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use smartbox_core::BoxFuture;
use smartbox_core::sandbox::port::{Conn, Dial, RuntimeError};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_engine::puppet::{Options, Play, Puppet};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::compat::TokioAsyncReadCompatExt;

struct Wall;

impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "the program's one clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

struct Loopback;

impl Dial for Loopback {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        Box::pin(async move {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            let stream = stream.map_err(|e| RuntimeError::Broken {
                doing: "connecting to the model",
                source: e.into(),
            })?;
            Ok(Box::pin(stream.compat()) as Conn)
        })
    }
}

fn play() -> Play {
    let time = |name: &str, otherwise: Duration| {
        let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
        given.map_or(otherwise, Duration::from_millis)
    };
    let usual = Play::default();
    Play {
        echo: std::env::var_os("PUPPET_ECHO").is_some_and(|value| value == "1"),
        start: time("PUPPET_START_MS", usual.start),
        lease: time("PUPPET_LEASE_MS", usual.lease),
        tick: time("PUPPET_TICK_MS", usual.tick),
        missed: time("PUPPET_MISSED_MS", usual.missed),
        recovery: time("PUPPET_RECOVERY_MS", usual.recovery),
    }
}

fn say(text: &str) {
    // Nobody may read it.
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(home) = std::env::var_os("HOME") else {
        say("Gateway failed to start: HOME is not set");
        return ExitCode::from(78);
    };
    if std::env::args().nth(1).is_some_and(|word| word == "doctor") {
        return match Puppet::check(home.as_ref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(ill) => {
                say(&ill.to_string());
                ExitCode::FAILURE
            }
        };
    }
    let options = Options {
        home: home.into(),
        outbound: Arc::new(Loopback),
        clock: Arc::new(Wall),
        play: play(),
    };
    let puppet = match Puppet::open(options) {
        Ok(puppet) => puppet,
        Err(refused) => {
            say(&refused.to_string());
            return ExitCode::from(78);
        }
    };
    match run(puppet).await {
        Ok(code) => code,
        Err(error) => {
            say(&format!("Gateway failed to start: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(puppet: Puppet) -> std::io::Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, puppet.port())).await?;
    let mut asked = signal(SignalKind::terminate())?;
    say(&format!("[gateway] listening on 127.0.0.1:{}", puppet.port()));
    let mut draining = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let puppet = puppet.clone();
                tokio::spawn(async move { puppet.serve(stream).await });
            }
            // A second one is ignored, as the real engine does.
            _ = asked.recv(), if !draining => {
                draining = true;
                let puppet = puppet.clone();
                tokio::spawn(async move { puppet.drain().await });
            }
            () = puppet.ended() => {
                return Ok(if draining { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
        }
    }
}
