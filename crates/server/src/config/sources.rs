//! What holds and who says so: every setting with its place in the file, its variable or its option.
//! Of secrets only their names and where they come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use smartbox_core::egress::Quota;
use toml::de::{DeTable, DeValue};

use super::{
    Config, ConfigError, Env, Overrides, env, file, http, limits, original, place, sign_in, sleep,
    snapshots, traces,
};
use sign_in::AccessChoice;

/// Who says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Source {
    /// Nobody: the default holds.
    Default,
    /// The file.
    File {
        /// Its line, from 1.
        line: usize,
    },
    /// The environment.
    Environment {
        /// The variable's name.
        variable: String,
    },
    /// The command line.
    CommandLine {
        /// The option.
        option: &'static str,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line } => write!(f, "{}:{line}", super::FILE),
            Self::Environment { variable } => f.write_str(variable),
            Self::CommandLine { option } => f.write_str(option),
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// As in the file, with dots.
    pub key: String,
    /// What holds, for people.
    pub value: String,
    /// Who says so.
    pub source: Source,
}

/// What was said, and where.
struct Said<'a> {
    lines: BTreeMap<String, usize>,
    env: &'a Env,
    out: Vec<Setting>,
}

/// Every setting of a configuration that was read from `text`.
pub fn settings(
    config: &Config,
    text: &str,
    env: &Env,
    over: &Overrides,
) -> Result<Vec<Setting>, ConfigError> {
    let lines = lines(&config.data_dir.join(super::FILE), text)?;
    let mut said = Said { lines, env, out: Vec::new() };
    said.add("data_dir", &config.data_dir.display().to_string(), &[place::DATA_DIR]);
    if over.data_dir {
        said.by_option("--data-dir");
    }
    said.add("http.listen", &config.http.listen.to_string(), &[http::LISTEN]);
    if over.listen.is_some() {
        said.by_option("--listen");
    }
    let url = config.http.url.as_ref().map(ToString::to_string);
    said.add("http.url", url.as_deref().unwrap_or("none"), &[]);
    said.http(&config.http);
    said.add("boxes.tier", &config.boxes.tier, &[]);
    said.add("boxes.boots", &config.boxes.boots.to_string(), &[]);
    said.add("boxes.patience", &config.boxes.patience.to_string(), &[]);
    said.add("sleep.after", &config.sleep.words, &[sleep::SLEEP_AFTER]);
    said.add("sleep.stop_after", &time(config.sleep.stop_after), &[]);
    said.add("sleep.page_out", &config.sleep.page_out.to_string(), &[]);
    said.egress(config);
    said.limits(&config.limits);
    said.add("engine.name", &config.engine.name, &[]);
    let path = config.engine.path.as_ref().map(|path| path.display().to_string());
    said.add("engine.path", path.as_deref().unwrap_or("none"), &[]);
    let listen = config.metrics.listen.map(|address| address.to_string());
    said.add("metrics.listen", listen.as_deref().unwrap_or("none"), &[]);
    let endpoint = config.traces.endpoint.as_deref().unwrap_or("none");
    said.add("traces.endpoint", endpoint, &[traces::WHOLE, traces::BASE]);
    said.add("vault.master", &config.vault.to_string(), &[super::vault::MASTER_KEY]);
    said.add("models.model", &config.models.model, &[]);
    said.add("models.preferred", config.models.preferred.as_deref().unwrap_or("none"), &[]);
    said.add("models.demo", &config.models.demo.to_string(), &[]);
    said.providers(config);
    said.sign_in(&config.sign_in);
    said.snapshots(&config.snapshots);
    said.tiers(config);
    said.secret(env::MASTER_TOKEN, config.given.master.is_some());
    Ok(said.out)
}

impl Said<'_> {
    /// A setting that one of these variables may say.
    fn add(&mut self, key: &str, value: &str, variables: &[&str]) {
        let variable = variables.iter().find(|name| self.env.get(name).is_some());
        let source = match (variable, self.lines.get(key)) {
            (Some(variable), _) => Source::Environment { variable: (*variable).to_owned() },
            (None, Some(line)) => Source::File { line: *line },
            (None, None) => Source::Default,
        };
        self.out.push(Setting { key: key.to_owned(), value: value.to_owned(), source });
    }

    /// The last one is the command line's.
    fn by_option(&mut self, option: &'static str) {
        if let Some(last) = self.out.last_mut() {
            last.source = Source::CommandLine { option };
        }
    }

    fn limits(&mut self, of: &limits::Limits) {
        self.add("limits.connections", &of.connections.to_string(), &[]);
        self.add("limits.per_client", &of.per_client.to_string(), &[]);
        self.add("limits.sockets", &of.sockets.to_string(), &[]);
        for (name, words) in &of.words {
            self.add(&format!("limits.{name}"), words, &[]);
        }
        let patience = of.rates.patience;
        self.add("limits.patience.free", &patience.free.to_string(), &[]);
        self.add("limits.patience.first", &time(patience.first), &[]);
        self.add("limits.patience.most", &time(patience.most), &[]);
        self.add("limits.patience.forget", &time(patience.forget), &[]);
    }

    fn http(&mut self, of: &http::Http) {
        let file = |path: Option<&std::path::PathBuf>| {
            path.map_or_else(|| "none".to_owned(), |path| path.display().to_string())
        };
        let tls = of.tls.as_ref();
        self.add("http.tls.certificate", &file(tls.map(|tls| &tls.certificate)), &[]);
        self.add("http.tls.key", &file(tls.map(|tls| &tls.key)), &[]);
        let proxies: Vec<String> = of.trusted_proxies.iter().map(ToString::to_string).collect();
        let proxies = if proxies.is_empty() { "none".to_owned() } else { proxies.join(", ") };
        self.add("http.trusted_proxies", &proxies, &[]);
    }

    fn egress(&mut self, config: &Config) {
        let egress = &config.egress;
        let list = |of: &[String]| if of.is_empty() { "none".into() } else { of.join(", ") };
        let some = |n: u64, text: String| if n == 0 { "no limit".to_owned() } else { text };
        let private = match egress.private.len() {
            0 => "none".to_owned(),
            1 => "1 block".to_owned(),
            n => format!("{n} blocks"),
        };
        self.add("egress.allow", &list(&egress.allow), &[]);
        self.add("egress.private", &private, &[]);
        self.add("egress.connections", &egress.connections.to_string(), &[]);
        let Quota { per_minute, up, down } = egress.quota;
        self.add("egress.per_minute", &some(per_minute.into(), per_minute.to_string()), &[]);
        self.add("egress.out_per_day", &some(up, size(up)), &[]);
        self.add("egress.in_per_day", &some(down, size(down)), &[]);
    }

    fn sign_in(&mut self, of: &sign_in::SignIn) {
        let (team, aud) = match &of.access {
            AccessChoice::On(settings) => (settings.team_domain.as_str(), settings.aud.as_str()),
            AccessChoice::Off => ("none", "none"),
            AccessChoice::Wrong { .. } => ("wrong", "wrong"),
        };
        self.add("sign_in.access.team_domain", team, &[sign_in::TEAM]);
        self.add("sign_in.access.aud", aud, &[sign_in::AUD]);
        let issuer = of.oidc.as_ref().map_or("none", |oidc| &oidc.settings.issuer);
        self.add("sign_in.oidc.issuer", issuer, &[]);
        if let Some(oidc) = &of.oidc {
            self.add("sign_in.oidc.client_id", &oidc.settings.client_id, &[]);
            self.add("sign_in.oidc.name", &oidc.name, &[]);
            self.add("sign_in.oidc.scopes", &oidc.settings.scopes.join(", "), &[]);
            self.add("sign_in.oidc.groups_claim", &oidc.settings.groups_claim, &[]);
            self.secret(sign_in::SECRET, oidc.settings.client_secret.is_some());
        }
        self.add("sign_in.grants", &of.rules.len().to_string(), &[]);
    }

    fn providers(&mut self, config: &Config) {
        for provider in &config.models.providers {
            let key = format!("models.providers.{}", provider.name);
            let variable = format!("{}_BASE_URL", provider.name.to_ascii_uppercase());
            let gateway = original::gateway(self.env).ok().flatten();
            let gateway = gateway.filter(|gateway| gateway.provider == provider.name);
            let variables = match gateway {
                Some(_) => vec![original::GATEWAY_URL],
                None => vec![variable.as_str()],
            };
            self.add(&format!("{key}.base_url"), &without_user(&provider.base_url), &variables);
            if let Some(secret) = &provider.secret {
                self.secret(secret, config.given.keys.contains_key(secret));
            }
        }
    }

    fn snapshots(&mut self, of: &snapshots::Snapshots) {
        let some = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        self.add("snapshots.directory", &of.directory.display().to_string(), &[]);
        self.add("snapshots.endpoint", &some(of.endpoint.clone()), &[]);
        self.add("snapshots.bucket", &of.bucket, &[snapshots::BUCKET]);
        self.add("snapshots.region", &of.region, &[]);
        self.add("snapshots.path_style", &of.path_style.to_string(), &[]);
        let jurisdiction = of.jurisdiction.map(|one| one.to_string());
        self.add("snapshots.jurisdiction", &some(jurisdiction), &[]);
        let prefix = Some(of.prefix.clone()).filter(|prefix| !prefix.is_empty());
        self.add("snapshots.prefix", &some(prefix), &[]);
        let objective =
            of.objective.map_or_else(|| "60s in a directory, 5m in a bucket".to_owned(), time);
        self.add("snapshots.objective", &objective, &[]);
        let keep = &of.keep;
        let keep = format!(
            "last {}, hourly {}, daily {}, weekly {}, monthly {}",
            keep.last, keep.hourly, keep.daily, keep.weekly, keep.monthly
        );
        self.add("snapshots.keep", &keep, &[]);
        self.add("snapshots.tombstones", &time(of.tombstones), &[]);
        let bandwidth = of.bandwidth.map_or_else(|| "no limit".to_owned(), size);
        self.add("snapshots.bandwidth", &bandwidth, &[]);
        self.add("snapshots.concurrency", &of.concurrency.to_string(), &[]);
        self.add("snapshots.drill_every", &time(of.drill_every), &[]);
        for name in snapshots::SECRETS {
            self.secret(name, of.given.contains_key(name));
        }
    }

    fn tiers(&mut self, config: &Config) {
        for (name, tier) in &config.tiers {
            let key = |part: &str| format!("tiers.{name}.{part}");
            let some = |n: u64, text: String| if n == 0 { "no limit".to_owned() } else { text };
            let cpu = match tier.cpu_millis {
                0 => "no limit".to_owned(),
                millis => format!("{}", f64::from(millis) / 1000.0),
            };
            self.add(&key("cpu"), &cpu, &[]);
            self.add(&key("memory"), &some(tier.memory_bytes, size(tier.memory_bytes)), &[]);
            self.add(&key("pids"), &some(tier.pids.into(), tier.pids.to_string()), &[]);
            self.add(&key("disk"), &some(tier.disk_bytes, size(tier.disk_bytes)), &[]);
        }
    }

    /// Whether a secret is given, never what it is.
    fn secret(&mut self, name: &str, given: bool) {
        let file = format!("{name}_FILE");
        let by_gateway = original::gateway(self.env).ok().flatten();
        let by_gateway = by_gateway.filter(|gateway| gateway.secret == name);
        let variables = match by_gateway {
            Some(_) => {
                vec![original::GATEWAY_KEY.to_owned(), format!("{}_FILE", original::GATEWAY_KEY)]
            }
            None => vec![name.to_owned(), file],
        };
        let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
        let value = if given { "given" } else { "not given" };
        self.add(&format!("secret {name}"), value, &variables);
    }
}

/// A user and a password before the host are nobody's business.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://…@{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

fn size(bytes: u64) -> String {
    for (unit, length) in [("GiB", 1 << 30), ("MiB", 1 << 20)] {
        if bytes.is_multiple_of(length) {
            return format!("{}{unit}", bytes / length);
        }
    }
    bytes.to_string()
}

fn time(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] {
        if seconds >= length && seconds.is_multiple_of(length) {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}

/// The line of each key of the file, by its dotted name; a provider's by its own name.
fn lines(path: &Path, text: &str) -> Result<BTreeMap<String, usize>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| file::explain(path, text, &error))?;
    let mut lines = BTreeMap::new();
    walk(text, "", table.get_ref(), &mut lines);
    Ok(lines)
}

/// The line of a key, or the first one of what is in it.
pub(super) fn line_of(path: &Path, text: &str, key: &str) -> Option<usize> {
    let lines = lines(path, text).ok()?;
    let within = |name: &str| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    let inner = || lines.iter().filter(|(name, _)| within(name)).map(|(_, line)| *line).min();
    lines.get(key).copied().or_else(inner)
}

fn walk(text: &str, above: &str, table: &DeTable<'_>, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let name = key.get_ref();
        let dotted = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
        match value.get_ref() {
            DeValue::Table(inner) => walk(text, &dotted, inner, lines),
            DeValue::Array(items) => {
                for inner in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    let name = inner.get("name").and_then(|name| name.get_ref().as_str());
                    walk(text, &format!("{dotted}.{}", name.unwrap_or("?")), inner, lines);
                }
            }
            _ => {
                let before = &text.as_bytes()[..key.span().start.min(text.len())];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                lines.insert(dotted, line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_in_an_address_is_not_shown() {
        assert_eq!(without_user("https://u:p@x.example/v1"), "https://…@x.example/v1");
        assert_eq!(without_user("https://x.example/a@b"), "https://x.example/a@b");
        assert_eq!(without_user("nonsense"), "nonsense");
    }

    #[test]
    fn times_and_sizes_are_shown_as_they_are_written() {
        assert_eq!([2 << 30, 512 << 20, 77].map(size), ["2GiB", "512MiB", "77"]);
        let shown: Vec<String> =
            [604_800, 3600, 90].map(|s| time(std::time::Duration::from_secs(s))).into();
        assert_eq!(shown, ["7d", "1h", "90s"]);
    }
}
