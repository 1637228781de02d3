//! What a person might want to know of this machine.

use crate::config::Config;

const SMALL: u64 = 4 << 30;

/// Words of advice: a machine with little memory on which boxes never sleep; an address that
/// others can reach without TLS.
pub(crate) fn advice(config: &Config) -> Vec<String> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let notes = config.notes.iter().cloned();
    memory(total(&meminfo), config).into_iter().chain(exposure(config)).chain(notes).collect()
}

fn memory(total: Option<u64>, config: &Config) -> Option<String> {
    let bytes = total.filter(|bytes| *bytes < SMALL && config.sleep.after.is_none())?;
    Some(format!(
        "this machine has {:.1} GiB of memory and an awake box takes nearly one: with \
         SANDBOX_SLEEP_AFTER=10m idle boxes sleep and wake on demand",
        gib(bytes)
    ))
}

/// What others can read on its way.
pub fn exposure(config: &Config) -> Option<String> {
    let http = &config.http;
    let open =
        !http.listen.ip().is_loopback() || http.url.as_ref().is_some_and(|u| u.scheme == "http");
    let what = match &http.url {
        _ if http.encrypted() || !open => return None,
        Some(url) if url.scheme == "https" => {
            return Some(format!(
                "{} can be reached by others, past the TLS proxy before it: say where that is in \
                 `http.trusted_proxies`, or listen on 127.0.0.1",
                http.listen
            ));
        }
        Some(url) => url.to_string(),
        None => http.listen.to_string(),
    };
    Some(format!(
        "WARNING: {what} can be reached from other machines, and what passes there is not encrypted: \
         whoever listens can come in. Say a certificate in `[http.tls]`, or put a TLS proxy before it \
         and say `http.url` and `http.trusted_proxies`"
    ))
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[expect(clippy::cast_precision_loss, reason = "for people, to a tenth")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_its_line() {
        assert_eq!(total("MemTotal:        2048 kB\nMemFree: 1 kB\n"), Some(2 << 20));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn advice_is_given_where_it_is_needed_and_nowhere_else() {
        let load = |text: &str| {
            let env = crate::config::Env::default();
            Config::from_text("/d".as_ref(), text, &env, &Default::default()).unwrap()
        };
        let usual = load("");
        assert!(memory(Some(2 << 30), &usual).unwrap().contains("2.0 GiB"));
        assert_eq!(memory(Some(8 << 30), &usual), None);
        assert_eq!(memory(Some(2 << 30), &load("[sleep]\nafter = \"1h\"")), None);
        assert_eq!(exposure(&usual), None);
        let said = |http: &str| exposure(&load(&format!("[http]\n{http}"))).unwrap_or_default();
        let (open, https) = ("listen = \"0.0.0.0:80\"\n", "url = \"https://a.example\"\n");
        assert!(said(open).contains("not encrypted"));
        assert!(said("url = \"http://a.example\"").contains("http://a.example"));
        assert!(said(&format!("{open}{https}")).contains("trusted_proxies"));
        assert_eq!(said(https), "");
        assert_eq!(said(&format!("{open}{https}trusted_proxies = [\"10.0.0.1\"]")), "");
        let tls = "[http.tls]\ncertificate = \"/c\"\nkey = \"/k\"";
        assert_eq!(said(&format!("{open}{https}{tls}")), "");
    }
}
