//! The way out for ssh, which knows no HTTP proxies: its configuration for the whole box
//! (ssh_config(5)), of which a person's own `~/.ssh/config` and command line are read first.

use smartbox_core::sandbox::PROXY_PORT;

use super::root::INIT;

/// What stands in `/etc/ssh/ssh_config`.
///
/// A key that was never seen is taken and remembered in the home: nobody sits at most of a box's
/// terminals to be asked, and one that changed is refused. Whoever wants more lists the keys in the
/// machine's own `/etc/ssh/ssh_known_hosts`, which the box sees. The broker ends what is silent.
pub(super) fn config() -> String {
    format!(
        "# How ssh leaves this smartbox. What stands in ~/.ssh/config counts first.\n\
         Host * !localhost !127.* !::1\n\
         \x20   ProxyCommand {INIT} connect {PROXY_PORT} %h %p\n\
         Host *\n\
         \x20   StrictHostKeyChecking accept-new\n\
         \x20   ServerAliveInterval 60\n"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What ssh makes of it for a host, behind a person's own configuration.
    fn meant(host: &str, own: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        // `-F` reads one file, as if it were both, one after the other.
        std::fs::write(&file, format!("{own}\n{}", config())).unwrap();
        let said = Command::new("ssh").arg("-G").arg("-F").arg(&file).arg(host).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    #[test]
    fn ssh_goes_through_the_proxy_and_its_own_loopback_does_not() {
        let far = meant("git.example.com", "");
        assert!(far.contains("\nproxycommand /init connect 3128 %h %p\n"), "{far}");
        assert!(far.contains("\nstricthostkeychecking accept-new\n"), "{far}");
        for near in ["localhost", "127.0.0.1", "::1"] {
            assert!(!meant(near, "").contains("proxycommand"), "{near}");
        }
    }

    #[test]
    fn a_persons_own_configuration_wins() {
        let own = "Host git.example.com\n  ProxyCommand mine\n  StrictHostKeyChecking yes\n";
        let said = meant("git.example.com", own);
        assert!(said.contains("\nproxycommand mine\n"), "{said}");
        assert!(said.contains("\nstricthostkeychecking true\n"), "{said}");
        let jump = meant("git.example.com", "Host git.example.com\n  ProxyJump other.example\n");
        assert!(jump.contains("\nproxyjump other.example\n"), "{jump}");
    }
}
