//! Where the platform is: the same answer for `up` and for every other command.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use smartbox_core::secret::Secret;
use smartbox_server::config::{Env, place};

use super::contexts::{CONTEXT, Context, Contexts, LOCAL};
use super::{Client, Key, Trust};
use crate::error::CliError;

/// Names the address of a platform elsewhere.
pub(crate) const SERVER: &str = "SMARTBOX_SERVER";
/// Names the address that the platform listens on.
const LISTEN: &str = "SMARTBOX_LISTEN";
/// Names the token for it.
pub(crate) const TOKEN: &str = "SMARTBOX_TOKEN";
/// Names the account to act for.
pub(crate) const ACCOUNT: &str = "SMARTBOX_ACCOUNT";

/// Options that every command has.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Place {
    /// The data directory of the platform that is meant [env: SMARTBOX_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Where the platform is")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The address that the platform listens on, like 127.0.0.1:7777: where `up` does, and where other
    /// commands ask with a token if the data directory has no socket; with https:// before it, or
    /// http://, the same as --server [env: SMARTBOX_LISTEN]
    #[arg(long, global = true, value_name = "ADDRESS", help_heading = "Where the platform is")]
    pub(crate) listen: Option<String>,
    /// A platform elsewhere, like `https://sb.example.com`; needs SMARTBOX_TOKEN [env: SMARTBOX_SERVER]
    #[arg(long, global = true, value_name = "URL", help_heading = "Where the platform is")]
    pub(crate) server: Option<String>,
    /// A platform by its name, from `smartbox context`; `local` is this machine's [env: SMARTBOX_CONTEXT]
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "server")]
    #[arg(help_heading = "Where the platform is")]
    pub(crate) context: Option<String>,
    /// The authority that the certificate of an https platform is from, as PEM, instead of those that
    /// the machine trusts [env: SMARTBOX_CA]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where the platform is")]
    pub(crate) ca: Option<PathBuf>,
    /// Send a token over http:// to another machine all the same; for networks that encrypt by
    /// themselves [env: SMARTBOX_PLAIN_HTTP]
    #[arg(long, global = true, help_heading = "Where the platform is")]
    pub(crate) plain_http: bool,
    /// Act for this account, by name or id; for operators [env: SMARTBOX_ACCOUNT]
    #[arg(long, global = true, value_name = "ACCOUNT", help_heading = "Where the platform is")]
    pub(crate) account: Option<String>,
}

impl Place {
    /// Whether the command line says which platform is meant.
    fn is_named(&self) -> bool {
        self.context.is_some() || self.data_dir.is_some() || self.listen.is_some()
    }

    /// The name of the context that is meant where no address is. What names a place on the command line
    /// wins over the environment, and that over the context in use.
    pub(crate) fn name(&self, env: &Env) -> Result<String, CliError> {
        if let Some(name) = &self.context {
            return Ok(name.clone());
        }
        if self.is_named() {
            return Ok(LOCAL.to_owned());
        }
        if let Some(name) = env.get(CONTEXT) {
            return Ok(name.to_owned());
        }
        if env.get(place::DATA_DIR).is_some() || env.get(LISTEN).is_some() {
            return Ok(LOCAL.to_owned());
        }
        Ok(Contexts::read(env)?.current().to_owned())
    }

    /// The address that is meant, if one is: it wins over every context.
    pub(crate) fn address<'a>(&'a self, env: &'a Env) -> Option<&'a str> {
        // Where somebody listens is elsewhere if it is written as an address with its scheme.
        let elsewhere = |listen: &&str| listen.contains("://");
        let named = self.server.as_deref().or(self.listen.as_deref().filter(elsewhere));
        let by_variable = || {
            let variable = env.get(SERVER).or_else(|| env.get(LISTEN).filter(elsewhere));
            variable.filter(|_| !self.is_named())
        };
        named.or_else(by_variable)
    }

    /// The data directory, as the server finds it too.
    pub(crate) fn data_dir(&self, env: &Env) -> Result<PathBuf, CliError> {
        Ok(place::data_dir(self.data_dir.as_deref(), env)?)
    }
}

/// How a platform is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By the socket in this data directory; the kernel says who we are.
    Socket(PathBuf),
    /// By TCP, with a token.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// Encrypted.
        tls: bool,
    },
}

impl std::fmt::Display for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(dir) => write!(f, "{}", place::socket(dir).display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
        }
    }
}

impl Client {
    /// The platform that options and environment mean.
    pub(crate) fn of(place: &Place, env: &Env) -> Result<Self, CliError> {
        let token = env.secret(TOKEN)?;
        let account = place.account.as_deref().or_else(|| env.get(ACCOUNT)).map(str::to_owned);
        if let Some(url) = place.address(env) {
            // One that was let in by `smartbox login`, unless a token is given.
            let known = match token {
                None => Contexts::read(env)?.at(url)?,
                Some(_) => None,
            };
            let kept = known.unwrap_or_else(|| Context::bare(url));
            let (token, key) = (token.or(kept.token), kept.key);
            let trust = Trust::of(place, env, kept.trust);
            return Ok(Self { token, key, account, ..Self::at(tcp(url)?, trust) });
        }
        if let Some(context) = Contexts::find(env, &place.name(env)?)? {
            // The token that was kept for it; the one of the environment may be another platform's.
            let (token, key) = (context.token.or(token), context.key);
            let trust = Trust::of(place, env, context.trust);
            return Ok(Self { token, key, account, ..Self::at(tcp(&context.server)?, trust) });
        }
        let dir = place.data_dir(env)?;
        let trust = Trust::of(place, env, Trust::default());
        let listen = place.listen.as_deref().or_else(|| env.get(LISTEN));
        if let (Some(listen), Some(_), false) = (listen, &token, place::socket(&dir).exists()) {
            return Ok(Self { token, account, ..Self::at(tcp(&address(listen))?, trust) });
        }
        let start = Some(start_command(place, &dir));
        Ok(Self { token, account, start, ..Self::at(Reach::Socket(dir), trust) })
    }

    fn at(reach: Reach, trust: Trust) -> Self {
        let (token, key, account, start) = (None, None, None, None);
        Self { reach, token, key, account, start, trust, tls: OnceLock::new() }
    }

    /// The platform at this address, for somebody who has a key and nothing else.
    pub(crate) fn with_key(url: &str, key: Key, trust: Trust) -> Result<Self, CliError> {
        Ok(Self { key: Some(key), ..Self::at(tcp(url)?, trust) })
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// How the platform is reached.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    pub(super) fn token(&self) -> Option<&Secret<String>> {
        self.token.as_ref()
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    pub(super) fn unreachable(&self) -> CliError {
        CliError::Unreachable { place: self.reach.to_string(), start: self.start.clone() }
    }
}

fn start_command(place: &Place, dir: &Path) -> String {
    let mut command = "smartbox".to_owned();
    if place.data_dir.is_some() {
        command += &format!(" --data-dir {}", dir.display());
    }
    command += " up";
    if let Some(listen) = &place.listen {
        command += &format!(" --listen {listen}");
    }
    command
}

fn address(listen: &str) -> String {
    if listen.contains("://") {
        return listen.to_owned();
    }
    let bare = listen.parse::<u16>().is_ok();
    format!("http://{}{listen}", if bare { "127.0.0.1:" } else { "" })
}

/// Whether both are addresses, and of the same platform.
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    matches!((tcp(one), tcp(other)), (Ok(one), Ok(other)) if one == other)
}

/// The platform that is at this address, if it can be one's.
pub(crate) fn tcp(url: &str) -> Result<Reach, CliError> {
    let bad = || {
        CliError::usage(
            format!("`{url}` is not the address of a platform"),
            "write it like `https://sb.example.com` or `http://127.0.0.1:7777`, with nothing after it",
        )
    };
    let uri: http::Uri = url.parse().map_err(|_| bad())?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(bad()),
    };
    let good = matches!(uri.path(), "" | "/")
        && uri.query().is_none()
        && uri.authority().is_some_and(|a| !a.as_str().contains('@'));
    let host = uri.host().filter(|host| good && !host.is_empty()).ok_or_else(bad)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    Ok(Reach::Tcp { host, port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }), tls })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(place: &Place, env: &Env) -> Client {
        Client::of(place, env).unwrap()
    }

    #[test]
    fn without_anything_else_the_socket_in_the_data_directory_is_meant() {
        let place = Place { data_dir: Some("/nowhere/data".into()), ..Place::default() };
        let client = client(&place, &Env::default());
        assert_eq!(*client.reach(), Reach::Socket("/nowhere/data".into()));
        let error = client.unreachable();
        assert_eq!(error.to_string(), "no platform is running on /nowhere/data/control.sock");
        assert_eq!(error.hint(), "start it with `smartbox --data-dir /nowhere/data up`");
        let place = Place { listen: Some("127.0.0.1:7801".into()), ..place };
        let hint = self::client(&place, &Env::default()).unreachable().hint();
        let command = "smartbox --data-dir /nowhere/data up --listen 127.0.0.1:7801";
        assert_eq!(hint, format!("start it with `{command}`"));
    }

    #[test]
    fn a_server_wins_over_a_data_directory() {
        let place = Place {
            data_dir: Some("/nowhere".into()),
            server: Some("http://[::1]:80/".into()),
            ..Place::default()
        };
        assert_eq!(client(&place, &Env::default()).reach().to_string(), "[::1]:80");
        let env = Env::of([("SMARTBOX_SERVER", "http://box.example:7777")]);
        assert_eq!(client(&Place::default(), &env).reach().to_string(), "box.example:7777");
    }

    #[test]
    fn a_listen_address_is_used_where_there_is_no_socket_and_a_token() {
        let place = Place {
            data_dir: Some("/nowhere".into()),
            listen: Some("7070".into()),
            ..Place::default()
        };
        let env = Env::of([("SMARTBOX_TOKEN", "0123456789abcdef")]);
        assert_eq!(client(&place, &env).reach().to_string(), "127.0.0.1:7070");
        assert!(matches!(client(&place, &Env::default()).reach(), Reach::Socket(_)));
    }

    #[test]
    fn an_address_says_whether_it_is_encrypted() {
        for (url, reach, tls) in [
            ("https://sb.example", "sb.example:443", true),
            ("HTTPS://SB.example:8443/", "sb.example:8443", true),
            ("https://[2001:db8::1]", "[2001:db8::1]:443", true),
            ("http://sb.example", "sb.example:80", false),
        ] {
            let found = tcp(url).unwrap();
            assert_eq!(found.to_string(), reach);
            assert!(matches!(found, Reach::Tcp { tls: is, .. } if is == tls), "{url}");
        }
        assert!(same_address("https://sb.example:443/", "https://SB.example"));
        assert!(!same_address("https://sb.example:80", "http://sb.example:80"));
        let listening = Place {
            data_dir: Some("/nowhere".into()),
            listen: Some("https://sb.example".into()),
            ..Place::default()
        };
        assert_eq!(client(&listening, &Env::default()).reach().to_string(), "sb.example:443");
        let env = Env::of([("SMARTBOX_LISTEN", "https://sb.example")]);
        assert_eq!(client(&Place::default(), &env).reach().to_string(), "sb.example:443");
        let here = Place { data_dir: Some("/nowhere".into()), ..Place::default() };
        assert!(matches!(client(&here, &env).reach(), Reach::Socket(_)));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "7777", "ftp://x", "http://x/y", "http://x?y", "http://u:p@x", "https://"] {
            assert!(tcp(url).is_err(), "{url}");
        }
    }
}
