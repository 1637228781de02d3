//! The proxies, each a process of its own with a configuration made for this run. As root they are started
//! as nobody.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::AnyResult;
use crate::origin::Origin;

/// Ended when dropped.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    /// Whether it opens TLS.
    pub(crate) opens: bool,
    authority: PathBuf,
    child: Child,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Proxy {
    /// Bytes of memory that are its own.
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or_default() << 10
    }

    /// Who vouches where it opens TLS.
    pub(crate) fn authority(&self) -> AnyResult<CertificateDer<'static>> {
        Ok(CertificateDer::from_pem_file(&self.authority)?)
    }
}

/// A listener for thousands who come at once.
pub(crate) fn listener() -> AnyResult<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    Ok(socket.listen(4096)?)
}

pub(crate) async fn broker(files: &Path, origin: &Origin) -> AnyResult<Proxy> {
    let authority = files.join("authority.pem");
    let root = files.join("root.der");
    std::fs::write(&root, &origin.root)?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("serve")
        .args([&root, &authority])
        .args([origin.http, origin.tunnel, origin.secure].map(|port| port.to_string()))
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    let port = line.trim().parse()?;
    Ok(Proxy { name: "broker", port, opens: true, authority, child })
}

pub(crate) async fn tinyproxy(files: &Path) -> AnyResult<Proxy> {
    let port = free()?;
    let text = format!(
        "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 12000\n\
         LogLevel Critical\nLogFile \"/dev/null\"\nDisableViaHeader Yes\n"
    );
    let config = files.join("tinyproxy.conf");
    std::fs::write(&config, text)?;
    start("tinyproxy", port, as_nobody("tinyproxy").arg("-d").arg("-c").arg(config)).await
}

pub(crate) async fn squid(files: &Path) -> AnyResult<Proxy> {
    let port = free()?;
    let dir = files.join("squid");
    std::fs::create_dir(&dir)?;
    let dir_ = dir.display();
    let text = format!(
        "http_port 127.0.0.1:{port}\nhttp_access allow all\ncache deny all\naccess_log none\n\
         cache_log /dev/null\npid_filename none\nmax_filedescriptors 20000\nworkers 1\nvia off\n\
         forwarded_for delete\npinger_enable off\nnetdb_filename none\ncoredump_dir {dir_}\n\
         shutdown_lifetime 0 seconds\nread_timeout 10 minutes\n"
    );
    let config = files.join("squid.conf");
    std::fs::write(&config, text)?;
    start("squid", port, as_nobody("squid").args(["-N", "-f"]).arg(config)).await
}

fn as_nobody(program: &str) -> Command {
    let program = ["/usr/sbin", "/usr/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(program))
        .find(|path| path.exists())
        .unwrap_or_else(|| program.into());
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

async fn start(name: &'static str, port: u16, command: &mut Command) -> AnyResult<Proxy> {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let proxy = Proxy { name, port, opens: false, authority: PathBuf::new(), child };
    let end = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if Instant::now() > end {
            return Err(format!("{name} does not listen; is it installed?").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(proxy)
}

/// A port that nobody has at this moment.
fn free() -> AnyResult<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
