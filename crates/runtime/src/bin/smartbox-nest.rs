//! The helper alone, for tests of this room; the `smartbox` binary embeds the same entry.
//!
//! Inside a sandbox the same program plays the engine of the tests: a small server that echoes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["echo", port] => echo(port),
        ["visit", port, word] => visit(port, word),
        ["datagram", port, word] => datagram(port, word),
        ["hold", megabytes] => hold(megabytes),
        ["fill", path, megabytes] => fill(path, megabytes),
        ["calls"] => calls(),
        ["swap", one, others @ ..] => swap(one, others),
        _ => smartbox_runtime::nest_main(),
    }
}

/// Sends back whatever comes.
fn echo(port: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    say("listening");
    for stream in listener.incoming() {
        let mut stream = stream?;
        std::thread::spawn(move || {
            let mut reader = stream.try_clone()?;
            std::io::copy(&mut reader, &mut stream)
        });
    }
    Ok(())
}

/// Sends a word and says what came back.
fn visit(port: &str, word: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    stream.write_all(word.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    say(&answer);
    Ok(())
}

/// Sends a word in a datagram and says what came back, and whether the port could be taken instead.
fn datagram(port: &str, word: &str) -> std::io::Result<()> {
    let at = format!("127.0.0.1:{port}");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    socket.send_to(word.as_bytes(), &at)?;
    let mut answer = [0; 512];
    let (length, from) = socket.recv_from(&mut answer)?;
    say(&format!("{from} {}", String::from_utf8_lossy(&answer[..length])));
    let taken = TcpListener::bind(&at).is_ok() || std::net::UdpSocket::bind(&at).is_ok();
    say(if taken { "TAKEN" } else { "kept" });
    Ok(())
}

/// Takes so much memory and touches all of it, then waits for its input to end.
fn hold(megabytes: &str) -> std::io::Result<()> {
    let count: usize = megabytes.parse().map_err(std::io::Error::other)?;
    let mut held = Vec::new();
    for number in 0..count {
        held.push(vec![u8::try_from(number % 251).unwrap_or(1) | 1; 1 << 20]);
    }
    say(&format!("held {}", held.len()));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Writes files of a megabyte until it may not.
fn fill(path: &str, megabytes: &str) -> std::io::Result<()> {
    let count: usize = megabytes.parse().map_err(std::io::Error::other)?;
    let block = vec![7; 1 << 20];
    std::fs::create_dir_all(path)?;
    for number in 0..count {
        let mut file = std::fs::File::create(format!("{path}/{number}"))?;
        file.write_all(&block)?;
        file.sync_all()?;
    }
    say(&format!("filled {count}"));
    Ok(())
}

/// Tries what the filter forbids and says what the kernel answered.
fn calls() -> std::io::Result<()> {
    use rustix::thread::UnshareFlags;
    let told = |name: &str, result: rustix::io::Result<()>| {
        let refused = result == Err(rustix::io::Errno::PERM);
        say(&format!("{name} {}", if refused { "refused" } else { "NOT REFUSED" }));
    };
    #[expect(deprecated, reason = "a test of refusals")]
    for (name, flags) in [("user", UnshareFlags::NEWUSER), ("mount", UnshareFlags::NEWNS)] {
        told(name, rustix::thread::unshare(flags));
    }
    let flags = rustix::mount::MountFlags::empty();
    told("tmpfs", rustix::mount::mount("x", "/tmp", "tmpfs", flags, None::<&std::ffi::CStr>));
    let vsock = rustix::net::AddressFamily::from_raw(40);
    let socket = rustix::net::socket(vsock, rustix::net::SocketType::STREAM, None);
    told("vsock", socket.map(drop));
    let unlimited = rustix::process::Rlimit { current: None, maximum: None };
    told("fsize", rustix::process::setrlimit(rustix::process::Resource::Fsize, unlimited));
    told("hostname", rustix::system::sethostname(b"x"));
    Ok(())
}

/// Exchanges one name with each of others in turn, as fast as it can, until it is killed.
fn swap(one: &str, others: &[&str]) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    say("swapping");
    loop {
        for other in others {
            for _ in 0..2 {
                match renameat_with(CWD, one, CWD, *other, RenameFlags::EXCHANGE) {
                    // Somebody removed one of them: what is left is put there instead.
                    Err(rustix::io::Errno::NOENT) => std::fs::create_dir_all(one)?,
                    other => other?,
                }
            }
        }
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    // A closed output means that nobody listens any more.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n"));
    let _ = out.flush();
}
