//! Where the platform is: the same answer for `up` and for every other command.

use std::path::{Path, PathBuf};

use smartbox_core::secret::Secret;
use smartbox_server::config::{Env, place};

use super::contexts::{CONTEXT, Context, Contexts};
use super::{Client, Key};
use crate::error::CliError;

/// Names the address of a platform elsewhere.
pub(crate) const SERVER: &str = "SMARTBOX_SERVER";
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
    /// The address that the platform listens on, like 127.0.0.1:7777 [env: SMARTBOX_LISTEN]
    #[arg(long, global = true, value_name = "ADDRESS", help_heading = "Where the platform is")]
    pub(crate) listen: Option<String>,
    /// A platform elsewhere, like http://10.0.0.5:7777; needs SMARTBOX_TOKEN [env: SMARTBOX_SERVER]
    #[arg(long, global = true, value_name = "URL", help_heading = "Where the platform is")]
    pub(crate) server: Option<String>,
    /// A platform by its name, from `smartbox context`; `local` is this machine's [env: SMARTBOX_CONTEXT]
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "server")]
    #[arg(help_heading = "Where the platform is")]
    pub(crate) context: Option<String>,
    /// Act for this account, by name or id; for operators [env: SMARTBOX_ACCOUNT]
    #[arg(long, global = true, value_name = "ACCOUNT", help_heading = "Where the platform is")]
    pub(crate) account: Option<String>,
}

impl Place {
    /// Whether the command line says which platform is meant.
    fn is_named(&self) -> bool {
        self.context.is_some() || self.data_dir.is_some() || self.listen.is_some()
    }

    /// The context that is meant, unless it is this machine's. What names a place on the command line
    /// wins over the environment, and that over the context in use.
    fn elsewhere(&self, env: &Env) -> Result<Option<Context>, CliError> {
        if let Some(name) = &self.context {
            return Contexts::read(env)?.get(name);
        }
        if self.is_named() {
            return Ok(None);
        }
        if let Some(name) = env.get(CONTEXT) {
            return Contexts::read(env)?.get(name);
        }
        if env.get(place::DATA_DIR).is_some() || env.get("SMARTBOX_LISTEN").is_some() {
            return Ok(None);
        }
        let contexts = Contexts::read(env)?;
        contexts.get(contexts.current())
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
    },
}

impl std::fmt::Display for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(dir) => write!(f, "{}", place::socket(dir).display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl Client {
    /// The platform that options and environment mean.
    pub(crate) fn of(place: &Place, env: &Env) -> Result<Self, CliError> {
        let token = env.secret(TOKEN)?;
        let account = place.account.as_deref().or_else(|| env.get(ACCOUNT)).map(str::to_owned);
        let by_variable = || env.get(SERVER).filter(|_| !place.is_named());
        if let Some(url) = place.server.as_deref().or_else(by_variable) {
            // One that was let in by `smartbox login`, unless a token is given.
            let known = match token {
                None => Contexts::read(env)?.at(url)?,
                Some(_) => None,
            };
            let (kept, key) = known.map_or((None, None), |known| (known.token, known.key));
            let token = token.or(kept);
            return Ok(Self { reach: tcp(url)?, token, key, account, start: None });
        }
        if let Some(context) = place.elsewhere(env)? {
            // The token that was kept for it; the one of the environment may be another platform's.
            let token = context.token.or(token);
            let (reach, key) = (tcp(&context.server)?, context.key);
            return Ok(Self { reach, token, key, account, start: None });
        }
        let dir = place.data_dir(env)?;
        let listen = place.listen.as_deref().or_else(|| env.get("SMARTBOX_LISTEN"));
        if let (Some(listen), Some(_), false) = (listen, &token, place::socket(&dir).exists()) {
            let reach = tcp(&address(listen))?;
            return Ok(Self { reach, token, key: None, account, start: None });
        }
        let start = Some(start_command(place, &dir));
        Ok(Self { reach: Reach::Socket(dir), token, key: None, account, start })
    }

    /// The platform at this address, for somebody who has a key and nothing else.
    pub(crate) fn with_key(url: &str, key: Key) -> Result<Self, CliError> {
        Ok(Self { reach: tcp(url)?, token: None, key: Some(key), account: None, start: None })
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
    match place.data_dir {
        Some(_) => format!("smartbox --data-dir {} up", dir.display()),
        None => "smartbox up".into(),
    }
}

fn address(listen: &str) -> String {
    let bare = listen.parse::<u16>().is_ok();
    format!("http://{}{listen}", if bare { "127.0.0.1:" } else { "" })
}

/// Whether this can be the address of a platform.
pub(crate) fn check_address(url: &str) -> Result<(), CliError> {
    tcp(url).map(drop)
}

fn tcp(url: &str) -> Result<Reach, CliError> {
    let bad = || {
        CliError::usage(
            format!("`{url}` is not the address of a platform"),
            "write it like `http://127.0.0.1:7777`, with nothing after the port",
        )
    };
    let uri: http::Uri = url.parse().map_err(|_| bad())?;
    if uri.scheme_str() == Some("https") {
        return Err(CliError::usage(
            "this command does not speak https",
            "forward a port (`ssh -L 7777:127.0.0.1:7777 host`) and use http://127.0.0.1:7777",
        ));
    }
    let good = uri.scheme_str() == Some("http")
        && matches!(uri.path(), "" | "/")
        && uri.query().is_none()
        && uri.authority().is_some_and(|a| !a.as_str().contains('@'));
    let host = uri.host().filter(|_| good).ok_or_else(bad)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Reach::Tcp { host, port: uri.port_u16().unwrap_or(80) })
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
    fn what_is_no_address_is_refused() {
        for url in ["", "7777", "ftp://x", "http://x/y", "http://x?y", "http://u:p@x", "https://x"]
        {
            assert!(tcp(url).is_err(), "{url}");
        }
    }
}
