//! TLS with the operator's own certificate: over real sockets, renewed while it is used.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use reqwest::{Certificate, Client, Version};
use smartbox_server::config::http::PublicUrl;
use smartbox_server::system::SystemClock;
use smartbox_server::tls::{Fault, Files, Keeper, Look, Pair, PairError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::tokens::Standing;
use crate::world::{Manner, World};

const HOST: &str = "sb.example";

/// An authority, and the files that it fills.
struct Office {
    issuer: Issuer<'static, KeyPair>,
    root: String,
    dir: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        let dir = tempfile::tempdir().unwrap();
        Self { issuer: Issuer::new(params, key), root, dir }
    }

    fn files(&self) -> Files {
        let at = |name| self.dir.path().join(name);
        Files { certificate: at("fullchain.pem"), key: at("key.pem") }
    }

    /// A certificate and its key, for these names and until this year.
    fn made(&self, names: &[&str], year: i32) -> (String, String) {
        self.issued(names, (2020, year))
    }

    fn issued(&self, names: &[&str], (from, until): (i32, i32)) -> (String, String) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn write(&self, (certificate, key): &(String, String)) {
        std::fs::write(self.files().certificate, certificate).unwrap();
        std::fs::write(self.files().key, key).unwrap();
    }

    fn usual(&self) -> (String, String) {
        self.made(&[HOST, "*.sb.example"], 2090)
    }

    /// What the world needs to use what is in the files.
    fn keeper(&self) -> Arc<Keeper> {
        Keeper::open(self.files(), HOST, Arc::new(SystemClock)).unwrap()
    }

    async fn world(&self) -> (World, Arc<Keeper>) {
        let keeper = self.keeper();
        let url = PublicUrl { scheme: "https".into(), host: HOST.into(), port: Some(0) };
        let manner = Manner { url: Some(url), tls: Some(keeper.clone()), ..Manner::default() };
        (World::with(manner).await, keeper)
    }

    fn client(&self, world: &World) -> Client {
        let address = SocketAddr::from(([127, 0, 0, 1], world.port));
        Client::builder()
            .tls_certs_only([Certificate::from_pem(self.root.as_bytes()).unwrap()])
            .redirect(reqwest::redirect::Policy::none())
            .resolve(HOST, address)
            .resolve("pa.sb.example", address)
            .build()
            .unwrap()
    }
}

fn at(world: &World, path: &str) -> String {
    format!("https://{HOST}:{}{path}", world.port)
}

#[tokio::test]
async fn signing_in_is_encrypted_and_its_cookie_bound_to_the_host() {
    let office = Office::new();
    office.write(&office.usual());
    let (world, _) = office.world().await;
    let client = office.client(&world);
    let answer = client.get(at(&world, &format!("/?token={}", world.token))).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (303, Version::HTTP_2));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-smartbox_platform=sbs_"), "{cookie}");
    assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
    assert!(cookie.contains("; SameSite=Lax") && !cookie.contains("Domain"), "{cookie}");
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    // A box's own host, by the wildcard.
    let there = format!("https://pa.{HOST}:{}/", world.port);
    let answer = client.get(there).header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let to = answer.headers()["location"].to_str().unwrap();
    assert_eq!(to, at(&world, "/open/pa"));
}

#[tokio::test]
async fn a_page_does_by_http_2_what_it_does_by_http_1() {
    let office = Office::new();
    office.write(&office.usual());
    let (world, _) = office.world().await;
    let client = office.client(&world);
    let post = |path: &str, origin: String| {
        client
            .post(at(&world, path))
            .header("origin", origin)
            .header("sec-fetch-site", "same-origin")
    };
    let own = || format!("https://{HOST}:{}", world.port);
    let form = format!("token={}", world.token);
    let login = post("/login", own()).header("content-type", "application/x-www-form-urlencoded");
    let answer = login.body(form).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (303, Version::HTTP_2));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let stop = post("/api/v1/boxes/pa/stop", own()).header("cookie", &cookie);
    let answer = stop.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let other = format!("https://pa.{HOST}:{}", world.port);
    let answer =
        post("/api/v1/boxes/pa/stop", other).header("cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status(), 403, "a box's page is another one's");
}

#[tokio::test]
async fn what_is_not_tls_is_told_so_and_gets_nothing() {
    let office = Office::new();
    office.write(&office.usual());
    let (world, _) = office.world().await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: sb.example\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(!answer.to_lowercase().contains("set-cookie"), "{answer}");
}

#[tokio::test]
async fn clients_that_never_end_their_handshake_keep_nobody_out() {
    let office = Office::new();
    office.write(&office.usual());
    // On a busy machine a handshake's deadline may be over first, and then nothing is shown.
    for _ in 0..4 {
        let (world, _) = office.world().await;
        let (begun, mut half) = (Instant::now(), Vec::new());
        // From as many addresses as there are connections: no limit of one client helps here.
        for n in 0..700_u32 {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            let [_, _, high, low] = n.to_be_bytes();
            socket.bind(SocketAddr::from(([127, 1, high, low], 0))).unwrap();
            let address = SocketAddr::from(([127, 0, 0, 1], world.port));
            let mut stream = socket.connect(address).await.unwrap();
            // The beginning of a greeting, and nothing more.
            stream.write_all(&[0x16, 3, 1, 0x10, 0]).await.unwrap();
            half.push(stream);
        }
        let answer = office.client(&world).get(at(&world, "/health")).send();
        let answer = tokio::time::timeout(Duration::from_secs(60), answer).await;
        assert_eq!(answer.expect("an answer").unwrap().status(), 200);
        if begun.elapsed() < Duration::from_secs(9) {
            return;
        }
    }
    panic!("it waits for the others' deadline");
}

#[tokio::test]
async fn a_renewed_certificate_is_used_from_the_next_connection_on() {
    let office = Office::new();
    office.write(&office.usual());
    let (world, keeper) = office.world().await;
    let shown = async |client: &Client| client.get(at(&world, "/health")).send().await.is_ok();
    let open = office.client(&world);
    assert!(shown(&open).await);
    // Another authority's: who trusts only the first one sees which one is shown.
    let other = Office::new();
    std::fs::write(office.files().certificate, other.usual().0).unwrap();
    assert!(matches!(keeper.look(), Look::Refused(_)), "its key is another's");
    assert!(shown(&office.client(&world)).await, "the one before is still in use");
    office.write(&other.usual());
    assert_eq!(keeper.look(), Look::Taken);
    assert_eq!(keeper.look(), Look::Same);
    assert!(!shown(&office.client(&world)).await);
    assert!(shown(&other.client(&world)).await);
    assert!(shown(&open).await, "what was open goes on");
}

#[test]
fn a_worse_pair_is_refused_and_named() {
    let office = Office::new();
    office.write(&office.usual());
    let keeper = office.keeper();
    let first = keeper.pair().ends;
    let (certificate, key) = office.usual();
    for (pair, why) in [
        (office.made(&[HOST, "*.sb.example"], 2021), "it has expired"),
        (office.made(&["*.sb.example"], 2091), "it is not for sb.example"),
        (office.made(&[HOST], 2091), "it is not for *.sb.example"),
        (("nonsense".to_owned(), key.clone()), "has no certificate"),
        ((certificate.clone(), String::new()), "has no private key"),
        ((key.clone(), certificate.clone()), "has no certificate"),
        ((certificate.clone(), office.usual().1), "does not belong"),
        ((certificate[..300].to_owned(), key), "fullchain.pem"),
    ] {
        office.write(&pair);
        let Look::Refused(said) = keeper.look() else { panic!("{why}: it was taken") };
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("PRIVATE"), "{said}");
        assert_eq!(keeper.look(), Look::Same, "said once");
        assert_eq!(keeper.pair().ends, first);
    }
    std::fs::remove_file(office.files().key).unwrap();
    assert!(matches!(keeper.look(), Look::Refused(_)));
    assert_eq!(keeper.look(), Look::Same, "said once");
    office.write(&office.made(&[HOST, "*.sb.example"], 2092));
    assert_eq!(keeper.look(), Look::Taken);
    assert!(keeper.pair().ends > first);
}

#[test]
fn one_that_is_not_good_yet_is_taken_when_its_time_has_come() {
    let office = Office::new();
    office.write(&office.usual());
    // 2026 begins.
    let clock = Arc::new(Standing(AtomicI64::new(1_767_225_600_000)));
    let keeper = Keeper::open(office.files(), HOST, clock.clone()).unwrap();
    office.write(&office.issued(&[HOST, "*.sb.example"], (2027, 2090)));
    assert_eq!(keeper.look(), Look::Refused("it is not valid yet".into()));
    assert_eq!(keeper.look(), Look::Same, "said once");
    // 2027 begins.
    clock.0.store(1_798_761_600_000, Ordering::SeqCst);
    assert_eq!(keeper.look(), Look::Taken);
    assert_eq!(keeper.look(), Look::Same);
}

#[test]
fn one_that_is_over_already_may_be_renewed_by_any_that_is_better() {
    let office = Office::new();
    office.write(&office.made(&[HOST], 2021));
    let keeper = office.keeper();
    office.write(&office.made(&[HOST], 2090));
    assert_eq!(keeper.look(), Look::Taken, "no worse than before: boxes had no name then either");
}

#[test]
fn what_browsers_would_complain_about_is_known() {
    let office = Office::new();
    office.write(&office.made(&["sb.example", "*.example"], 2090));
    let pair = Pair::read(&office.files()).unwrap();
    let now = smartbox_core::time::Timestamp(1_700_000_000_000);
    let names = |host: &str| pair.faults(host, now);
    assert_eq!(names("sb.example"), [Fault::Name("*.sb.example".into())]);
    assert_eq!(names("example").len(), 1, "the wildcard is for its boxes");
    assert_eq!(names("other.test").len(), 2);
    assert!(pair.left(now) > Duration::from_secs(60 * 365 * 24 * 3600));
    let missing = Files { key: Path::new("/nowhere").into(), ..office.files() };
    assert!(matches!(Pair::read(&missing), Err(PairError::Unreadable { .. })));
}
