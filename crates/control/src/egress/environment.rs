//! What tells programs in a box about the way out: that there is a proxy, and whom to trust. The
//! variables that curl, git, npm, pip, node, Python and OpenClaw look at. A person's own value wins.

use std::collections::BTreeMap;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_value_wins() {
        let mut env = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://mine:1".to_owned())]);
        add_way_out(&mut env);
        assert_eq!(env["HTTPS_PROXY"], "http://mine:1");
        assert_eq!(env["http_proxy"], "http://127.0.0.1:3128");
    }
}
