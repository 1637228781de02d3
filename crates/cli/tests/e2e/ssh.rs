//! Git over ssh from within a box, with a real server and a real key, and nothing set up inside but the key.

use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::egress::bare_repository;
use crate::platform::{Platform, puppet};

/// This machine's address towards the world: a box goes to its own loopback directly, as it should.
fn address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent; the kernel says from where it would be.
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip()
}

fn run(program: &str, args: &[&str]) -> String {
    let ended = Command::new(program).args(args).output().unwrap();
    assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

/// A new key; the private half's file.
fn key(dir: &Path, name: &str) -> PathBuf {
    let file = dir.join(name);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", file.to_str().unwrap()]);
    file
}

/// A server of this machine's own ssh, for whoever runs the test and nobody else, and for git alone.
struct Server {
    child: Child,
    ip: IpAddr,
    port: u16,
    user: String,
}

impl Server {
    fn start(dir: &Path, authorized: &Path) -> Self {
        let ip = address();
        let port = TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().port();
        let host_key = key(dir, "host_key");
        let config = dir.join("sshd_config");
        let text = format!(
            "ListenAddress {ip}:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nDisableForwarding yes\n\
             ForceCommand git shell -c \"$SSH_ORIGINAL_COMMAND\"\n",
            host_key.display(),
            authorized.display(),
        );
        std::fs::write(&config, text).unwrap();
        if rustix::process::geteuid().is_root() {
            // As root it gives its privileges away, into this directory.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(&config)
            .stderr(Stdio::from(std::fs::File::create(dir.join("sshd.log")).unwrap()))
            .spawn()
            .expect("the test needs openssh-server");
        let server = Self { child, ip, port, user: run("id", &["-un"]).trim().to_owned() };
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect((ip, port)).is_err() {
            assert!(Instant::now() < end, "sshd does not listen");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(ended: &Output) -> String {
    String::from_utf8_lossy(&[&ended.stdout[..], &ended.stderr].concat()).into_owned()
}

/// Writes a file of the box.
fn put(platform: &Platform, path: &str, text: &str) {
    let script = format!("umask 077 && mkdir -p ~/.ssh && cat >{path}");
    let ended = platform.feed(&["exec", "pa", "--", "sh", "-c", &script], text);
    assert!(ended.status.success(), "{}", said(&ended));
}

#[test]
fn git_clones_over_ssh_from_hosts_that_its_owner_allows() {
    let files = tempfile::tempdir().unwrap();
    bare_repository(files.path());
    let key = key(files.path(), "key");
    let server = Server::start(files.path(), &key.with_extension("pub"));
    let Server { ip, port, user, .. } = &server;
    let config = puppet() + &format!("\n[egress]\nprivate = [\"{ip}:{port}\"]\n");
    let platform = Platform::start(&config, &[]);
    let inside = |script: &str| {
        let ended = platform.run(["exec", "--timeout", "300s", "pa", "--", "sh", "-c", script]);
        (ended.status.success(), said(&ended))
    };
    put(&platform, "~/.ssh/id_ed25519", &std::fs::read_to_string(&key).unwrap());
    let repo = files.path().join("repo.git");
    let clone = |from: &str| format!("cd && rm -rf c && git clone -q '{from}' c && cat c/README");
    let url = format!("ssh://{user}@{ip}:{port}{}", repo.display());

    let (fine, heard) = inside(&clone(&url));
    let advice = format!("smartbox egress allow pa {ip}:{port}");
    assert!(!fine && heard.contains(&advice), "{heard}");
    assert!(platform.ok(["egress", "pa"]).contains(&advice));

    platform.ok(["egress", "allow", "pa", &format!("{ip}:{port}")]);
    let (fine, heard) = inside(&clone(&url));
    assert!(fine && heard.starts_with("cloned\n"), "{heard}");
    // A push is a connection like any other.
    let (fine, heard) = inside(
        "cd ~/c && git checkout -q -b new && git push -q origin new && git ls-remote origin new",
    );
    assert!(fine && heard.contains("refs/heads/new"), "{heard}");

    // With the short form, and a person's own configuration, of which the box's is the rest.
    let own = format!("Host git.short\n  HostName {ip}\n  Port {port}\n  User {user}\n");
    let mine = "Host mine.example\n  ProxyCommand touch mine\n";
    put(&platform, "~/.ssh/config", &(own + mine));
    let (fine, heard) = inside(&clone(&format!("git.short:{}", repo.display())));
    assert!(fine && heard.starts_with("cloned\n"), "{heard}");
    let (fine, heard) = inside("cd && ssh -T mine.example; ls mine");
    assert!(fine && heard.starts_with("mine\n"), "{heard}");

    // The first key of a host was taken; another is not.
    let other = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    put(&platform, "~/.ssh/known_hosts", &format!("[{ip}]:{port} {other}"));
    let (fine, heard) = inside(&clone(&url));
    assert!(!fine && heard.contains("Host key verification failed"), "{heard}");
}
