//! What tells programs in a box about the way out: that there is a proxy, and whom to trust. The
//! variables that curl, git, npm, pip, node, Python and OpenClaw look at. A person's own value wins.

use std::collections::BTreeMap;

use smartbox_core::egress::{Pattern, Place, Rule, Standins};
use smartbox_core::sandbox::{HOME_DIR, PROXY_PORT};

use super::authority::{CERTIFICATE, TRUST};

/// What is on the box's own loopback needs no proxy.
const OWN: &str = "localhost,127.0.0.1,::1";
/// Programs differ in which case they read; curl reads `http_proxy` in lower case only.
const PROXY: [&str; 5] =
    ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "OPENCLAW_PROXY_URL"];
/// Where programs look for the file with all that they trust.
const ROOTS: [&str; 5] =
    ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "REQUESTS_CA_BUNDLE"];

/// Adds the variables that are not there.
pub(crate) fn add_way_out(env: &mut BTreeMap<String, String>) {
    let mut set = |name: &str, value: &str| {
        env.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
    PROXY.iter().for_each(|name| set(name, &proxy));
    set("NO_PROXY", OWN);
    set("no_proxy", OWN);
    let roots = format!("{HOME_DIR}/{TRUST}");
    ROOTS.iter().for_each(|name| set(name, &roots));
    // Node has roots of its own, and looks at the proxy only if it is told to.
    set("NODE_EXTRA_CA_CERTS", &format!("{HOME_DIR}/{CERTIFICATE}"));
    set("NODE_USE_SYSTEM_CA", "1");
    set("NODE_USE_ENV_PROXY", "1");
}

/// Names that programs read for something else than a secret.
const TAKEN: [&str; 12] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "PWD", "IFS", "ENV", "TZ",
];
/// Beginnings of such names.
const TAKEN_BEGINNINGS: [&str; 9] =
    ["LD_", "LC_", "XDG_", "GIT_CONFIG_", "SMARTBOX_", "OPENCLAW_", "BASH_", "NODE_", "PYTHON"];

/// Whether a variable of this name is no place for a stand-in.
pub(super) fn is_taken(name: &str) -> bool {
    let mut way_out = BTreeMap::new();
    add_way_out(&mut way_out);
    TAKEN.contains(&name)
        || TAKEN_BEGINNINGS.iter().any(|start| name.starts_with(start))
        || way_out.contains_key(name)
}

/// Adds the stand-ins for secrets under the names of these, and has git send those that are bound as
/// a password. A person's own value wins.
pub(crate) fn add_standins(env: &mut BTreeMap<String, String>, standins: &Standins) {
    for held in &standins.held {
        let value = held.placeholder.as_str();
        env.entry(held.secret.clone()).or_insert_with(|| value.to_owned());
    }
    if env.contains_key("GIT_CONFIG_COUNT") {
        return;
    }
    let passwords: Vec<(String, &str)> = standins
        .bindings
        .iter()
        .filter(|binding| binding.places.contains(&Place::BasicPassword))
        .filter_map(|binding| Some((git_host(&binding.to)?, binding.secret.as_str())))
        .collect();
    for (n, (host, secret)) in passwords.iter().enumerate() {
        env.insert(format!("GIT_CONFIG_KEY_{n}"), format!("credential.https://{host}.helper"));
        // Whoever the user is, hosts of git look at the password alone; this name is GitHub's advice.
        let helper = format!(
            "!f() {{ test \"$1\" = get && printf 'username=x-access-token\\npassword=%s\\n' \
             \"${secret}\"; }}; f"
        );
        env.insert(format!("GIT_CONFIG_VALUE_{n}"), helper);
    }
    if !passwords.is_empty() {
        env.insert("GIT_CONFIG_COUNT".into(), passwords.len().to_string());
    }
}

/// The host of a rule as git knows it; none for a pattern of many.
fn git_host(to: &Rule) -> Option<String> {
    let Pattern::One(host) = &to.host else { return None };
    match to.ports() {
        [443, ..] => Some(host.to_string()),
        [port, ..] => Some(format!("{host}:{port}")),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use smartbox_core::egress::{Binding, Held, Placeholder};

    use super::*;

    #[test]
    fn ones_own_value_wins() {
        let mut env = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://mine:1".to_owned())]);
        add_way_out(&mut env);
        assert_eq!(env["HTTPS_PROXY"], "http://mine:1");
        assert_eq!(env["http_proxy"], "http://127.0.0.1:3128");
    }

    #[test]
    fn programs_find_stand_ins_and_git_sends_those_that_are_passwords() {
        let placeholder = Placeholder::kept("sbx_1".into());
        let mut standins = Standins::default();
        standins.held.push(Held { placeholder, secret: "KEY".into() });
        for (to, places) in [
            ("git.test", vec![Place::BasicPassword]),
            ("*.git.test", vec![Place::BasicPassword]),
            ("api.test", vec![Place::BasicUser]),
        ] {
            let (secret, to) = ("KEY".into(), Rule::parse(to).unwrap());
            standins.bindings.push(Binding { secret, to, places, in_clear: false });
        }
        let mut env = BTreeMap::new();
        add_standins(&mut env, &standins);
        assert_eq!((&*env["KEY"], &*env["GIT_CONFIG_COUNT"]), ("sbx_1", "1"));
        assert_eq!(env["GIT_CONFIG_KEY_0"], "credential.https://git.test.helper");
        assert!(env["GIT_CONFIG_VALUE_0"].contains("\"$KEY\""), "{env:?}");
        let mut mine = BTreeMap::from([
            ("KEY".to_owned(), "mine".to_owned()),
            ("GIT_CONFIG_COUNT".to_owned(), "0".to_owned()),
        ]);
        let before = mine.clone();
        add_standins(&mut mine, &standins);
        assert_eq!(mine, before);
    }
}
