//! A box, the broker, and servers on this machine.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::egress::address::Opened;
use smartbox_core::egress::port::{
    Authority, Egress as _, Happening, Passage, Rules, Standing, Witness,
};
use smartbox_core::egress::{
    Binding, Entry, Held, HostName, Layer, Placeholder, Policy, Refusal, Rule, Source, Spent,
    Standins, day,
};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Program;
use smartbox_core::sandbox::port::Incoming;
use smartbox_core::secret::port::Release;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::StoreError;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_egress::{Broker, Limits, Names, Parts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

pub const WITHIN: Duration = Duration::from_secs(60);

/// Everything that the broker asks.
pub struct Fake {
    policy: watch::Sender<(u64, Arc<Policy>)>,
    pub names: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub lookups: Mutex<Vec<String>>,
    pub notes: Mutex<Vec<Passage>>,
    pub authority: Mutex<Option<Authority>>,
    standins: Mutex<Arc<Standins>>,
    values: Mutex<HashMap<String, String>>,
    /// How often the account was read.
    pub readings: Mutex<usize>,
    today: Timestamp,
}

impl Rules for Fake {
    fn standing<'a>(&'a self, _: &'a SmartboxId) -> BoxFuture<'a, Result<Standing, StoreError>> {
        let (version, policy) = self.policy.borrow().clone();
        let standins = self.standins.lock().unwrap().clone();
        Box::pin(async move { Ok(Standing { name: "pa".into(), policy, standins, version }) })
    }
    fn changed(&self, _: SmartboxId, version: u64) -> BoxFuture<'static, ()> {
        let mut seen = self.policy.subscribe();
        Box::pin(async move {
            let _ = seen.wait_for(|(now, _)| *now != version).await;
        })
    }
    fn authority<'a>(
        &'a self,
        _: &'a SmartboxId,
    ) -> BoxFuture<'a, Result<Option<Authority>, StoreError>> {
        let authority = self.authority.lock().unwrap().clone();
        Box::pin(async move { Ok(authority) })
    }
    fn take<'a>(
        &'a self,
        _: &'a SmartboxId,
        entry: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let mut found = false;
        self.policy.send_modify(|(version, policy)| {
            let mut next = Policy::clone(policy);
            for layer in &mut next.layers {
                let before = layer.allow.len();
                layer.allow.retain(|one| one.id != entry);
                found |= layer.allow.len() < before;
            }
            (*version, *policy) = (*version + 1, Arc::new(next));
        });
        Box::pin(async move { Ok(found) })
    }
    fn spent<'a>(&'a self, _: &'a SmartboxId) -> BoxFuture<'a, Result<Spent, StoreError>> {
        let now = self.now();
        let (up, down) = self.moved();
        *self.readings.lock().unwrap() += 1;
        Box::pin(async move { Ok(Spent::recall([(day(now), up, down)], now)) })
    }
}

impl Fake {
    fn moved(&self) -> (u64, u64) {
        let notes = self.notes.lock().unwrap();
        notes.iter().fold((0, 0), |(up, down), note| match note.what {
            Happening::Moved { up: u, down: d } => (up + u, down + d),
            _ => (up, down),
        })
    }
}

impl Release for Fake {
    fn release(
        &self,
        _: SmartboxId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        let value = self.values.lock().unwrap().get(&name).cloned();
        Box::pin(async move { Ok(value.map(Secret::new)) })
    }
    fn release_of(
        &self,
        id: SmartboxId,
        _: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        self.release(id, name)
    }

    fn peek_of(
        &self,
        id: SmartboxId,
        _: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        self.release(id, name)
    }
}

impl Witness for Fake {
    fn note(&self, passage: Passage) {
        self.notes.lock().unwrap().push(passage);
    }
}

impl Clock for Fake {
    fn now(&self) -> Timestamp {
        // Midnight never comes: what is of one day stays of one day.
        Timestamp(real().0.min(self.today.0 + 86_399_999))
    }
}

fn real() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "programs look at certificates by it")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_millis()).unwrap())
}

impl Names for Fake {
    fn lookup<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.lookups.lock().unwrap().push(name.to_string());
        let mut names = self.names.lock().unwrap();
        // One answer after the other, as a name server that rebinds would give them; the last stays.
        let found = names
            .get_mut(name.as_str())
            .map(|answers| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() });
        Box::pin(async move { found.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

pub struct World {
    pub fake: Arc<Fake>,
    broker: Broker,
    id: SmartboxId,
    opened: Vec<Opened>,
    limits: Limits,
}

fn broker(fake: &Arc<Fake>, opened: &[Opened], limits: Limits) -> Broker {
    Broker::new(Parts {
        rules: fake.clone(),
        release: fake.clone(),
        witness: fake.clone(),
        clock: fake.clone(),
        names: fake.clone(),
        opened: opened.to_vec(),
        roots: vec![crate::tls::root().certificate],
        limits,
    })
}

pub fn layer(allow: &[&str], deny: &[&str]) -> Layer {
    let rule = |text: &&str| Rule::parse(text).unwrap();
    Layer {
        source: Source::Smartbox,
        allow: allow.iter().map(|text| Entry::new(rule(text))).collect(),
        deny: deny.iter().map(rule).collect(),
    }
}

impl World {
    /// A box that may reach this. Servers of this machine count as public at these ports.
    pub fn new(allow: &[&str], ports: &[u16]) -> Self {
        Self::with(allow, ports, Limits::default())
    }

    pub fn with(allow: &[&str], ports: &[u16], limits: Limits) -> Self {
        let opened: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let opened: Vec<&str> = opened.iter().map(String::as_str).collect();
        Self::made(allow, &opened, limits)
    }

    /// A box on a machine whose operator opens these blocks.
    pub fn opened(allow: &[&str], blocks: &[&str]) -> Self {
        Self::made(allow, blocks, Limits::default())
    }

    fn made(allow: &[&str], blocks: &[&str], limits: Limits) -> Self {
        let policy = Policy { layers: vec![layer(allow, &[])] };
        let fake = Arc::new(Fake {
            policy: watch::Sender::new((1, Arc::new(policy))),
            names: Mutex::default(),
            lookups: Mutex::default(),
            notes: Mutex::default(),
            authority: Mutex::default(),
            standins: Mutex::default(),
            values: Mutex::default(),
            readings: Mutex::default(),
            today: day(real()),
        });
        let opened: Vec<Opened> =
            blocks.iter().map(|block| Opened::parse(block).unwrap()).collect();
        let broker = broker(&fake, &opened, limits);
        *fake.authority.lock().unwrap() = Some(broker.authority().unwrap());
        let id = "box_00000000000000000000".parse().unwrap();
        Self { fake, broker, id, opened, limits }
    }

    /// From now on this is the policy.
    pub fn allow(&self, layer: Layer) {
        self.fake.policy.send_modify(|(version, policy)| {
            (*version, *policy) = (*version + 1, Arc::new(Policy { layers: vec![layer] }));
        });
    }

    /// Gives the box a placeholder, and the platform the value that it stands for.
    pub fn hold(&self, secret: &str, placeholder: &str, value: &str, bindings: Vec<Binding>) {
        let mut standins = self.fake.standins.lock().unwrap();
        let mut next = Standins::clone(&standins);
        let placeholder = Placeholder::kept(placeholder.to_owned());
        next.held.push(Held { placeholder, secret: secret.to_owned() });
        next.bindings.extend(bindings);
        next.scopes.insert(secret.to_owned(), Scope::Smartbox(self.id.clone()));
        *standins = Arc::new(next);
        self.fake.values.lock().unwrap().insert(secret.to_owned(), value.to_owned());
    }

    /// The secrets that went out, by name and host.
    pub fn sent(&self) -> Vec<(String, String)> {
        let notes = self.fake.notes.lock().unwrap();
        let sent = notes.iter().filter_map(|note| match &note.what {
            Happening::Secret(name) => Some((name.clone(), note.host.clone())),
            _ => None,
        });
        sent.collect()
    }

    /// A name and what it means, one answer after the other.
    pub fn name(&self, name: &str, answers: &[&[&str]]) {
        let answers = answers
            .iter()
            .map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect())
            .collect();
        self.fake.names.lock().unwrap().insert(name.into(), answers);
    }

    /// A connection that something in the box makes to its proxy.
    pub fn dial(&self) -> Inside {
        self.dial_as(std::future::ready(Program::new(b"tester")))
    }

    /// A connection of a program that is found out about so.
    pub fn dial_as(
        &self,
        program: impl Future<Output = Option<Program>> + Send + 'static,
    ) -> Inside {
        let (near, far) = tokio::io::duplex(256 << 10);
        tokio::spawn(self.broker.serve(self.id.clone(), call(far, program)));
        Inside(near)
    }

    /// The same in another box, of the same policy.
    pub fn dial_from(&self, other: u8) -> Inside {
        let (near, far) = tokio::io::duplex(256 << 10);
        tokio::spawn(self.broker.serve(other_box(other), call(far, async { None })));
        Inside(near)
    }

    /// A connection that something in a box makes to its name service.
    pub fn names_of(&self, other: u8) -> DuplexStream {
        let (near, far) = tokio::io::duplex(256 << 10);
        let id = if other == 0 { self.id.clone() } else { other_box(other) };
        tokio::spawn(self.broker.serve_names(id, call(far, async { None })));
        near
    }

    /// What was refused, in order.
    pub fn refusals(&self) -> Vec<(String, u16, Refusal)> {
        let notes = self.fake.notes.lock().unwrap();
        notes
            .iter()
            .filter_map(|note| match note.what {
                Happening::Refused(why) => Some((note.host.clone(), note.port, why)),
                _ => None,
            })
            .collect()
    }

    /// Bytes that went up and down.
    pub fn moved(&self) -> (u64, u64) {
        self.fake.moved()
    }

    /// The platform is there anew, on the same account.
    pub fn restart(&mut self) {
        self.broker = broker(&self.fake, &self.opened, self.limits);
    }

    /// The box is removed.
    pub fn forget(&self) {
        self.broker.forget(&self.id);
    }

    /// Waits until this is so.
    pub async fn until(&self, what: impl Fn(&Self) -> bool) {
        let end = tokio::time::Instant::now() + WITHIN;
        while !what(self) {
            assert!(tokio::time::Instant::now() < end, "{:?}", self.fake.notes.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn call(
    far: DuplexStream,
    program: impl Future<Output = Option<Program>> + Send + 'static,
) -> Incoming {
    Incoming { conn: Box::pin(far.compat()), program: Box::pin(program) }
}

fn other_box(n: u8) -> SmartboxId {
    format!("box_{n:020}").parse().unwrap()
}

/// The end that is in the box.
pub struct Inside(pub DuplexStream);

impl Inside {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A broker that has hung up is no failure of the test's: what it answered is looked at.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Reads up to the end of an answer's head.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = tokio::time::timeout(WITHIN, self.0.read_u8()).await.expect("an answer");
            let Ok(byte) = read else { break };
            head.push(byte);
        }
        String::from_utf8(head).unwrap()
    }

    /// Reads until the other end closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = self.0.read_to_end(&mut rest);
        let _ = tokio::time::timeout(WITHIN, read).await.expect("it closes");
        rest
    }

    /// Reads exactly so many bytes.
    pub async fn exactly(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        let read = self.0.read_exact(&mut bytes);
        tokio::time::timeout(WITHIN, read).await.expect("bytes").unwrap();
        bytes
    }

    pub async fn connect(&mut self, to: &str) -> String {
        self.send(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n")).await;
        self.head().await
    }
}

/// A server that answers what it gets with the same.
pub async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
                let _ = write.shutdown().await;
            });
        }
    });
    port
}

/// What a server heard.
pub type Heard = Arc<Mutex<Vec<String>>>;

/// A server of HTTP that keeps all that it hears on each connection, as it came, and answers the same.
pub async fn web(answer: &'static str) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let index = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(String::new());
                    kept.len() - 1
                };
                let mut answered = false;
                let mut piece = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut piece).await {
                    let text = String::from_utf8_lossy(&piece[..n]).into_owned();
                    kept.lock().unwrap()[index] += &text;
                    if !answered && kept.lock().unwrap()[index].contains("\r\n\r\n") {
                        answered = true;
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                }
            });
        }
    });
    (port, heard)
}
