//! What tells programs in a box that there is a proxy: the variables that curl, git, npm, pip, node,
//! Python and OpenClaw look at. A person's own value of one of them wins.

use std::collections::BTreeMap;

use smartbox_core::sandbox::PROXY_PORT;

/// What is on the box's own loopback needs no proxy.
const OWN: &str = "localhost,127.0.0.1,::1";

/// Adds the variables that are not there.
pub(crate) fn add_proxy(env: &mut BTreeMap<String, String>) {
    let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
    let mut set = |name: &str, value: &str| {
        env.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    // Programs differ in which case they read; curl reads `http_proxy` in lower case only.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "OPENCLAW_PROXY_URL"] {
        set(name, &proxy);
    }
    set("NO_PROXY", OWN);
    set("no_proxy", OWN);
    // Node looks at the variables above only if it is told to, and trusts what the machine trusts.
    set("NODE_USE_ENV_PROXY", "1");
    set("NODE_USE_SYSTEM_CA", "1");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_value_wins() {
        let mut env = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://mine:1".to_owned())]);
        add_proxy(&mut env);
        assert_eq!(env["HTTPS_PROXY"], "http://mine:1");
        assert_eq!(env["http_proxy"], "http://127.0.0.1:3128");
    }
}
