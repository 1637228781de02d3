//! `[snapshots]`: where snapshots are kept, how fresh they are to be and which of them stay.
//!
//! Where, is decided by [`Snapshots::place`] alone: a bucket once the keys to it are given, by the
//! environment or by the vault, a directory if none is, and an error that names what is missing if it is
//! some of them. What is absent: opening either.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::Keep;
use smartbox_core::time::parse_duration;

use super::env::Env;
use super::error::ConfigError;
use super::size;

/// The name of the key, as the original project called it.
pub const KEY_ID: &str = "R2_ACCESS_KEY_ID";
/// The key.
pub const SECRET_KEY: &str = "R2_SECRET_ACCESS_KEY";
/// The account at Cloudflare, which the address is made of.
pub const ACCOUNT: &str = "CF_ACCOUNT_ID";
/// Says the bucket's name in the environment.
pub const BUCKET: &str = "R2_BUCKET_NAME";
/// The three that turn a bucket on.
pub const SECRETS: [&str; 3] = [KEY_ID, SECRET_KEY, ACCOUNT];

/// In a directory a snapshot costs next to nothing; in a bucket each is a few paid requests.
const NEAR: Duration = Duration::from_mins(1);
const FAR: Duration = Duration::from_mins(5);

/// Nothing is fresher than the time that it takes to see that something changed.
const SHORTEST: Duration = Duration::from_secs(1);

/// Where snapshots are kept, and which.
#[derive(Debug, Clone)]
pub struct Snapshots {
    /// The directory, where no bucket is.
    pub directory: PathBuf,
    /// A server that is not Cloudflare's.
    pub endpoint: Option<String>,
    /// The bucket's name.
    pub bucket: String,
    /// The bucket's region.
    pub region: String,
    /// Whether the bucket stands in the path of an address, rather than before the host.
    pub path_style: bool,
    /// Where at Cloudflare, by law.
    pub jurisdiction: Option<Jurisdiction>,
    /// What every object's name begins with.
    pub prefix: String,
    /// How old a change may be that is in no snapshot, as written.
    pub objective: Option<Duration>,
    /// Which snapshots stay.
    pub keep: Keep,
    /// How long those of a removed box stay.
    pub tombstones: Duration,
    /// Bytes a second to and from a bucket.
    pub bandwidth: Option<u64>,
    /// Requests to a bucket at a time.
    pub concurrency: usize,
    /// How often a restore is rehearsed.
    pub drill_every: Duration,
    /// What the environment gives of [`SECRETS`].
    pub given: BTreeMap<String, Secret<String>>,
}

/// Where at Cloudflare data may lie, by law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jurisdiction {
    /// In the European Union.
    Eu,
    /// As the government of the United States demands.
    Fedramp,
}

impl Jurisdiction {
    fn label(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Fedramp => "fedramp",
        }
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Where snapshots go.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A bucket of this server, opened by these.
    Bucket {
        /// The server's address.
        endpoint: String,
        /// The name of the key.
        key_id: Secret<String>,
        /// The key.
        secret: Secret<String>,
    },
}

impl Storage {
    /// How old a change may be that is in no snapshot, unless somebody says otherwise.
    pub fn objective(&self) -> Duration {
        match self {
            Self::Directory(_) => NEAR,
            Self::Bucket { .. } => FAR,
        }
    }
}

impl Snapshots {
    /// Decides where snapshots go, given what the vault keeps of [`SECRETS`] for the platform. The
    /// environment wins over it: what is kept cannot be corrected while the platform does not start.
    pub fn place(&self, kept: &BTreeMap<String, Secret<String>>) -> Result<Storage, ConfigError> {
        let of = |name: &str| self.given.get(name).or_else(|| kept.get(name)).cloned();
        let needed: &[&str] = if self.endpoint.is_some() { &SECRETS[..2] } else { &SECRETS };
        let missing: Vec<&str> = needed.iter().copied().filter(|name| of(name).is_none()).collect();
        let some = SECRETS.iter().find(|name| of(name).is_some());
        match (of(KEY_ID), of(SECRET_KEY), some, &self.endpoint) {
            (None, None, None, None) => Ok(Storage::Directory(self.directory.clone())),
            (Some(key_id), Some(secret), _, _) if missing.is_empty() => {
                let endpoint = match (&self.endpoint, of(ACCOUNT)) {
                    (Some(endpoint), _) => endpoint.clone(),
                    (None, account) => self.at_cloudflare(account.as_ref())?,
                };
                Ok(Storage::Bucket { endpoint, key_id, secret })
            }
            (_, _, some, _) => {
                let there = some.map_or("snapshots.endpoint", |name| *name);
                let why = format!("it is given without {}", missing.join(" and "));
                let hint = match self.given.contains_key(there) || !kept.contains_key(there) {
                    true => format!("without {there} snapshots go to a directory"),
                    // It is in the vault, which is open while the platform runs.
                    false => format!(
                        "once it runs, keep the rest by `smartbox secret set … --platform`, or \
                         forget it by `smartbox secret rm {there} --platform`"
                    ),
                };
                let hint = format!("give what is missing in the environment of `up`; {hint}");
                Err(ConfigError::value(there, why, hint))
            }
        }
    }

    fn at_cloudflare(&self, account: Option<&Secret<String>>) -> Result<String, ConfigError> {
        let account = account.map_or("", |account| account.expose().as_str());
        let good = (1..=63).contains(&account.len())
            && account.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !good {
            let hint = "copy it from Cloudflare's dashboard: 32 digits and letters";
            return Err(ConfigError::value(ACCOUNT, "it is not an account's id", hint));
        }
        let place = self.jurisdiction.map(|one| format!(".{one}")).unwrap_or_default();
        Ok(format!("https://{account}{place}.r2.cloudflarestorage.com"))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    directory: Option<PathBuf>,
    endpoint: Option<String>,
    bucket: Option<String>,
    region: Option<String>,
    path_style: Option<bool>,
    jurisdiction: Option<Jurisdiction>,
    prefix: Option<String>,
    objective: Option<String>,
    keep: Option<Keep>,
    tombstones: Option<String>,
    bandwidth: Option<String>,
    concurrency: Option<usize>,
    drill_every: Option<String>,
}

pub(crate) fn settle(
    file: Written,
    base: Written,
    data_dir: &Path,
    env: &Env,
) -> Result<Snapshots, ConfigError> {
    if file.endpoint.is_some() && file.jurisdiction.is_some() {
        let why = "it is Cloudflare's, and `endpoint` says another server";
        return Err(ConfigError::value("snapshots.jurisdiction", why, "leave out one of the two"));
    }
    let time = |key: &str, file: Option<String>, base: Option<String>| {
        let Some(text) = file.or(base) else { return Ok(None) };
        let hint = "write a time like `60s`, `5m` or `30d`";
        let time = parse_duration(&text);
        let time = time.map_err(|error| ConfigError::value(key, error.to_string(), hint))?;
        match time < SHORTEST {
            true => Err(ConfigError::value(key, "it is shorter than a second", hint)),
            false => Ok(Some(time)),
        }
    };
    let mut given = BTreeMap::new();
    for name in SECRETS {
        if let Some(value) = env.secret(name)? {
            given.insert(name.to_owned(), value);
        }
    }
    let month = Duration::from_hours(24 * 30);
    let week = Duration::from_hours(24 * 7);
    Ok(Snapshots {
        directory: directory(file.directory, data_dir)?,
        endpoint: file.endpoint.map(|text| endpoint("snapshots.endpoint", &text)).transpose()?,
        bucket: bucket(env, file.bucket.or(base.bucket))?,
        region: file.region.or(base.region).unwrap_or_default(),
        path_style: file.path_style.or(base.path_style).unwrap_or(true),
        jurisdiction: file.jurisdiction.or(base.jurisdiction),
        prefix: prefix(file.prefix.or(base.prefix).unwrap_or_default())?,
        objective: time("snapshots.objective", file.objective, None)?,
        keep: file.keep.or(base.keep).unwrap_or_default(),
        tombstones: time("snapshots.tombstones", file.tombstones, base.tombstones)?
            .unwrap_or(month),
        bandwidth: bandwidth(file.bandwidth)?,
        concurrency: file.concurrency.or(base.concurrency).unwrap_or(16).clamp(1, 256),
        drill_every: time("snapshots.drill_every", file.drill_every, base.drill_every)?
            .unwrap_or(week),
        given,
    })
}

fn directory(file: Option<PathBuf>, data_dir: &Path) -> Result<PathBuf, ConfigError> {
    match file {
        None => Ok(data_dir.join("snapshots")),
        Some(path) if path.is_absolute() => Ok(path),
        Some(_) => Err(ConfigError::value(
            "snapshots.directory",
            "it is not a whole path",
            "write it from the root on, beginning with /",
        )),
    }
}

/// The address of a server, as somebody wrote it under this key.
pub(crate) fn endpoint(key: &str, text: &str) -> Result<String, ConfigError> {
    let uri: Option<::http::Uri> = text.parse().ok();
    let good = uri.is_some_and(|uri| {
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        // A user and a password would be shown and logged with the address.
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        known && plain && uri.path() == "/" && uri.query().is_none()
    });
    if good {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    let hint =
        "write it like `https://s3.example.com`, with nothing after the host and without keys";
    Err(ConfigError::value(key, "it is not the address of a server", hint))
}

fn bucket(env: &Env, written: Option<String>) -> Result<String, ConfigError> {
    let (key, name) = match env.get(BUCKET) {
        Some(name) => (BUCKET, name.to_owned()),
        None => ("snapshots.bucket", written.unwrap_or_default()),
    };
    bucket_name(key, name)
}

/// The name of a bucket, as somebody wrote it under this key.
pub(crate) fn bucket_name(key: &str, name: String) -> Result<String, ConfigError> {
    let good = (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
    if good {
        return Ok(name);
    }
    let hint = "3 to 63 of a-z, 0-9, - and .";
    Err(ConfigError::value(key, "it is not a bucket's name", hint))
}

fn prefix(text: String) -> Result<String, ConfigError> {
    let good = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !matches!(part, "" | "." | "..") && part.bytes().all(plain)
    };
    if text.is_empty() || text.split('/').all(good) {
        return Ok(text);
    }
    let hint = "write it like `smartbox` or `team/smartbox`: letters, digits, - _ and .";
    Err(ConfigError::value("snapshots.prefix", "it is not a part of an object's name", hint))
}

fn bandwidth(file: Option<String>) -> Result<Option<u64>, ConfigError> {
    let Some(text) = file else { return Ok(None) };
    match size::parse(&text) {
        Some(0) => Ok(None),
        Some(bytes) => Ok(Some(bytes)),
        None => {
            let hint = "write bytes a second, like `10MiB`; `0` is no limit";
            Err(ConfigError::value("snapshots.bandwidth", format!("`{text}` is not a size"), hint))
        }
    }
}
