//! What the edge is told at start: where it is reached, who it says is there, its limits, and the
//! engine's words that it must know.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use smartbox_core::limit::Rate;
use smartbox_core::person::Right;

/// How browsers reach the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain; only for `localhost` and the like.
    Http,
    /// With TLS, here or in front.
    Https,
}

impl Scheme {
    /// The word in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Everything the edge is told.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// How browsers reach it.
    pub scheme: Scheme,
    /// The port in the links that it makes. What a request's Host says is not compared with it.
    pub port: u16,
    /// The domains below which boxes have their labels, like `localhost`; lower case.
    pub bases: Vec<String>,
    /// Where a browser without a session goes; `{label}` becomes the box's label.
    pub sign_in: String,
    /// What every loading page says at its top; nothing if empty.
    pub notice: String,
    /// Networks of proxies of ours, whose word about who asks is taken.
    pub proxies: Vec<IpNet>,
    /// What the engine is told of the person.
    pub identity: Identity,
    /// The engine's words.
    pub engine: EngineWords,
    /// Limits.
    pub limits: Limits,
}

impl EdgeSettings {
    /// Settings for `scheme://<label>.<base>:port` with everything else at its default.
    pub fn new(scheme: Scheme, base: &str, port: u16, sign_in: &str) -> Self {
        Self {
            scheme,
            port,
            bases: vec![base.to_ascii_lowercase()],
            sign_in: sign_in.to_owned(),
            notice: String::new(),
            proxies: Vec::new(),
            identity: Identity::default(),
            engine: EngineWords::default(),
            limits: Limits::default(),
        }
    }

    /// Where a browser without a session goes to reach this box.
    pub fn sign_in_url(&self, label: &str) -> String {
        self.sign_in.replace("{label}", label)
    }

    /// The origin of a box, as browsers write it: below the first base, without a default port.
    pub fn origin(&self, label: &str) -> String {
        let base = self.bases.first().map_or("localhost", String::as_str);
        let scheme = self.scheme.as_str();
        if self.port == self.scheme.port() {
            format!("{scheme}://{label}.{base}")
        } else {
            format!("{scheme}://{label}.{base}:{}", self.port)
        }
    }
}

/// What the engine is told of the person, on every request. Headers of these names never pass from
/// outside.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The header that carries [`crate::Person::name`].
    pub user: Option<HeaderName>,
    /// Headers that are always added.
    pub fixed: Vec<(HeaderName, HeaderValue)>,
    /// What the engine is told of those who may not everything, by their right.
    pub caps: BTreeMap<Right, (HeaderName, HeaderValue)>,
    /// The Origin that the engine is shown instead of the box's own, once that was checked.
    pub origin: Option<HeaderValue>,
}

/// A path that a page asks for by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuietPath {
    /// Paths that begin so.
    Prefix(String),
    /// Paths that end so.
    Suffix(String),
}

impl QuietPath {
    /// Whether it means this path.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Prefix(text) => path.starts_with(text.as_str()),
            Self::Suffix(text) => path.ends_with(text.as_str()),
        }
    }
}

/// What must be known of the engine's page and its socket to tell a person from a page that is
/// merely open. Data, so that another engine needs other data. The default is OpenClaw's.
#[derive(Debug, Clone)]
pub struct EngineWords {
    /// Methods of `{"type":"req","method":…}` frames that a page sends by itself; a `*` at the end
    /// stands for anything.
    pub quiet_methods: Vec<String>,
    /// Paths that a page asks for by itself.
    pub quiet_paths: Vec<QuietPath>,
    /// The text frame that keeps a client content; `{ts}` becomes the time in milliseconds.
    pub tick: String,
    /// The interval of ticks when the engine did not say.
    pub tick_interval: Duration,
    /// The key in the engine's greeting whose number is the tick interval in milliseconds.
    pub tick_key: String,
    /// How the frame begins that announces the engine's end; held back while the page may stay.
    pub farewell: String,
    /// How the frame begins that says whether the engine takes work.
    pub suspension: String,
    /// The key in it whose text is the phase, and the phase in which it does.
    pub phase: (String, String),
}

impl Default for EngineWords {
    fn default() -> Self {
        let methods = [
            "connect",
            "ping",
            "health",
            "status",
            "system-presence",
            "presence.*",
            "last-heartbeat",
            "models.list",
            "models.snapshot",
            "sessions.catalog.list",
            "sessions.subscribe",
            "update.status",
            "node.list",
            "gateway.identity.get",
            // Measured in a browser: an idle page asks for the identity every minute; and for a quarter
            // of a minute after each answer it reads these again, though nobody touches it. Whoever opens
            // another conversation also subscribes to it, and that is a person's doing.
            "agent.identity.get",
            "chat.history",
            "chat.metadata",
            "models.authStatus",
            "session.members.listEvidence",
            "session.suggestions.list",
            "sessions.branches.list",
            "sessions.describe",
            "sessions.github.options",
            "sessions.list",
            // Marks the conversation as read, seconds after the answer.
            "sessions.patch",
        ];
        let prefixes = ["/assets/", "/favicon", "/apple-touch-icon", "/sw.js", "/manifest."];
        let suffixes = ["/avatar", "/workspace-icon", "/control-ui-config.json"];
        Self {
            quiet_methods: methods.map(str::to_owned).to_vec(),
            quiet_paths: prefixes
                .map(|p| QuietPath::Prefix(p.to_owned()))
                .into_iter()
                .chain(suffixes.map(|s| QuietPath::Suffix(s.to_owned())))
                .collect(),
            tick: r#"{"type":"event","event":"tick","payload":{"ts":{ts}}}"#.to_owned(),
            tick_interval: Duration::from_secs(30),
            tick_key: "tickIntervalMs".to_owned(),
            farewell: r#"{"type":"event","event":"shutdown""#.to_owned(),
            suspension: r#"{"type":"event","event":"gateway.suspension""#.to_owned(),
            phase: ("phase".to_owned(), "accepting".to_owned()),
        }
    }
}

/// Limits. Sizes in bytes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once, relayed sockets included. For one more, whoever has been quiet for the
    /// longest is dropped.
    pub connections: usize,
    /// Of them, connections of one client: an IPv4 address, or a /64 of IPv6.
    pub per_client: usize,
    /// Relayed sockets of one person to one box.
    pub sockets: usize,
    /// Header lines of a request, and of a response of the engine.
    pub headers: usize,
    /// A request's head, and a response's.
    pub head_bytes: usize,
    /// From the first byte of a head to its last; also how long a kept-alive connection may idle,
    /// and how long a client may take for each piece of an answer.
    pub head_time: Duration,
    /// Streams at once on an HTTP/2 connection.
    pub streams: u32,
    /// Streams that a client took back before they were looked at, at a time; more end the connection
    /// (CVE-2023-44487).
    pub resets: usize,
    /// Streams that we had to reset for a client's mistakes, over the connection's life.
    pub mistakes: usize,
    /// A request's body.
    pub body_bytes: u64,
    /// Between two pieces of a request's body.
    pub body_pause: Duration,
    /// Until the engine has sent the head of its response.
    pub reply_time: Duration,
    /// How long a request waits for its box to wake.
    pub wake_time: Duration,
    /// How long a page request waits for a frozen box before it gets the loading page, and what a
    /// page asks for by itself for somebody else to wake the box.
    pub thaw_time: Duration,
    /// One WebSocket frame.
    pub frame_bytes: u64,
    /// Frames that a client sends on one socket; 1008 ends it beyond that. `None` is no limit.
    pub frames: Option<Rate>,
    /// Bytes that a client sends on one socket.
    pub frame_flow: Option<Rate>,
    /// What waits for a frozen box on one socket; when it is full the box wakes.
    pub held_bytes: usize,
    /// How long a socket whose engine went away waits to learn whether the box went to sleep.
    pub farewell_time: Duration,
    /// How often an open socket's session is asked for again.
    pub recheck: Duration,
    /// How long requests and sockets get to finish when the edge drains.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_client: 512,
            sockets: 64,
            headers: 100,
            head_bytes: 64 * 1024,
            head_time: Duration::from_secs(30),
            streams: 128,
            resets: 20,
            mistakes: 64,
            body_bytes: 256 * 1024 * 1024,
            body_pause: Duration::from_secs(30),
            reply_time: Duration::from_mins(10),
            wake_time: Duration::from_mins(1),
            thaw_time: Duration::from_secs(2),
            frame_bytes: 32 * 1024 * 1024,
            frames: Some(Rate::new(200, Duration::from_secs(1), 2000)),
            frame_flow: Some(Rate::new(8 << 20, Duration::from_secs(1), 64 << 20)),
            held_bytes: 64 * 1024,
            farewell_time: Duration::from_secs(5),
            recheck: Duration::from_mins(1),
            drain: Duration::from_secs(30),
        }
    }
}
