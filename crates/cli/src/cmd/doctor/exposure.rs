//! What others could read or see of the platform: its certificate, and who is before it.

use std::time::Duration;

use smartbox_core::time::{Clock as _, Timestamp};
use smartbox_server::config::Config;
use smartbox_server::system::SystemClock;
use smartbox_server::tls::{Fault, Pair};

use super::check::Check;

/// Authorities renew a month before the end; less than this and nobody does.
const SOON: Duration = Duration::from_hours(21 * 24);

pub(super) fn checks(config: &Config) -> Vec<Check> {
    let mut checks = vec![encryption(config)];
    checks.extend(dev_mode(config));
    if let (Some(files), Some(url)) = (&config.http.tls, &config.http.url) {
        checks.push(match Pair::read(files) {
            Ok(pair) => certificate(&pair, &url.host, SystemClock.now()),
            Err(error) => Check::fail(CERTIFICATE, error.to_string(), CORRECT),
        });
    }
    checks
}

fn dev_mode(config: &Config) -> Option<Check> {
    let what = "DEV_MODE=true: nobody needs a token to sign in, and every person and program on this \
                machine can use the smartboxes";
    config
        .dev
        .then(|| Check::warn("dev mode", what, "unset DEV_MODE where others use this machine"))
}

const CERTIFICATE: &str = "certificate";
const CORRECT: &str = "correct `[http.tls]` in smartbox.toml, or the files that it names; the platform \
                       takes a new pair by itself";

fn encryption(config: &Config) -> Check {
    const NAME: &str = "encryption";
    let http = &config.http;
    if let Some(exposed) = smartbox_server::exposure(config) {
        let what = exposed.strip_prefix("WARNING: ").unwrap_or(&exposed);
        let hint = "docs/guides/expose.md says how";
        return Check::warn(NAME, what.to_owned(), hint);
    }
    match &http.url {
        None => Check::ok(NAME, "only this machine reaches the platform"),
        Some(url) if http.tls.is_some() => {
            Check::ok(NAME, format!("{url}, by its own certificate"))
        }
        Some(url) if http.trusted_proxies.is_empty() => Check::warn(
            NAME,
            format!("{url} is a proxy's, and everybody who comes through it counts as one client"),
            "say the proxy's address in `http.trusted_proxies`, so that limits know people apart",
        ),
        Some(url) => Check::ok(NAME, format!("{url}, by the proxy before it")),
    }
}

fn certificate(pair: &Pair, host: &str, now: Timestamp) -> Check {
    let faults = pair.faults(host, now);
    let days = pair.left(now).as_secs() / 86_400;
    if let Some(fault) = faults.iter().find(|fault| !is_about_boxes(fault)) {
        let what = format!("browsers refuse it: {fault}");
        return Check::fail(CERTIFICATE, what, CORRECT);
    }
    if let Some(fault) = faults.first() {
        let hint = "have one made for the wildcard too: each smartbox has an address of its own";
        return Check::fail(CERTIFICATE, format!("smartboxes cannot be opened: {fault}"), hint);
    }
    if pair.left(now) < SOON {
        return Check::warn(CERTIFICATE, format!("it expires in {days} days"), CORRECT);
    }
    Check::ok(CERTIFICATE, format!("it is for {host} and its smartboxes, {days} days from now"))
}

fn is_about_boxes(fault: &Fault) -> bool {
    matches!(fault, Fault::Name(name) if name.starts_with("*."))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use smartbox_server::config::{Env, Overrides};

    use super::*;
    use crate::cmd::doctor::check::Level;

    fn load(dir: &Path, text: &str) -> Config {
        Config::from_text(dir, text, &Env::default(), &Overrides::default()).unwrap()
    }

    #[test]
    fn what_browsers_would_refuse_is_said_before_they_do() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
        let config = load(
            dir.path(),
            &format!(
                "[http]\nurl = \"https://sb.example\"\n[http.tls]\ncertificate = {certificate:?}\n\
                 key = {key:?}"
            ),
        );
        assert_eq!(checks(&config)[1].level, Level::Fail, "nothing is there");
        for (names, year, level, said) in [
            (&["sb.example", "*.sb.example"][..], 2090, Level::Ok, "days from now"),
            (&["sb.example", "*.sb.example"], 2021, Level::Fail, "it has expired"),
            (&["sb.example"], 2090, Level::Fail, "smartboxes cannot be opened"),
            (&["*.sb.example"], 2090, Level::Fail, "it is not for sb.example"),
        ] {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(year, 1, 1);
            let own = KeyPair::generate().unwrap();
            std::fs::write(&certificate, params.self_signed(&own).unwrap().pem()).unwrap();
            std::fs::write(&key, own.serialize_pem()).unwrap();
            let found = checks(&config).remove(1);
            assert!(found.level == level && found.what.contains(said), "{found:?}");
            let pair = Pair::read(config.http.tls.as_ref().unwrap()).unwrap();
            let near = Timestamp(pair.ends.0 - 86_400_000 * 5);
            if level == Level::Ok {
                assert_eq!(certificate_at(&pair, near).level, Level::Warn);
            }
        }
    }

    fn certificate_at(pair: &Pair, now: Timestamp) -> Check {
        certificate(pair, "sb.example", now)
    }

    #[test]
    fn what_passes_unencrypted_is_warned_of() {
        let dir = tempfile::tempdir().unwrap();
        for (text, level) in [
            ("", Level::Ok),
            ("[http]\nlisten = \"0.0.0.0:80\"", Level::Warn),
            ("[http]\nurl = \"https://a.example\"", Level::Warn),
            ("[http]\nurl = \"https://a.example\"\ntrusted_proxies = [\"127.0.0.1\"]", Level::Ok),
        ] {
            let found = encryption(&load(dir.path(), text));
            assert!(found.level == level, "{text}: {found:?}");
        }
    }
}
