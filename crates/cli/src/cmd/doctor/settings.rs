//! The configuration, and what follows from it: keys for models, and when boxes sleep.

use std::path::Path;

use smartbox_server::config::{Config, Env, Overrides};

use super::check::Check;
use crate::client::Place;

pub(super) fn checks(dir: &Path, place: &Place, env: &Env) -> (Option<Config>, Vec<Check>) {
    let over = Overrides { listen: place.listen.clone(), ..Overrides::default() };
    match Config::load(dir, env, &over) {
        Ok(config) => {
            let checks =
                vec![Check::ok("configuration", "it is understood"), first_request(&config)];
            (Some(config), checks)
        }
        Err(error) => (None, vec![Check::fail("configuration", error.to_string(), error.hint())]),
    }
}

/// "First request is slow" of the original's troubleshooting.
fn first_request(config: &Config) -> Check {
    const NAME: &str = "first request";
    if config.sleep.after.is_none() {
        let what = "smartboxes are always on: the first request is as fast as any other";
        return Check::ok(NAME, what);
    }
    let what = format!(
        "idle smartboxes freeze after {}: the first request wakes one in well under a second, \
         and after a deep sleep it waits for a boot of ten seconds or more",
        config.sleep.words
    );
    Check::ok(NAME, format!("{what}; SANDBOX_SLEEP_AFTER=never keeps all of them awake"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::doctor::check::Level;

    #[test]
    fn a_wrong_key_is_named_and_sleep_is_explained() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::of([("SANDBOX_SLEEP_AFTER", "10m")]);
        let (config, found) = checks(dir.path(), &Place::default(), &env);
        assert!(config.is_some() && found[1].what.contains("after 10m"), "{found:?}");
        std::fs::write(dir.path().join("smartbox.toml"), "[sleep]\nafterr = \"1h\"\n").unwrap();
        let (config, found) = checks(dir.path(), &Place::default(), &Env::default());
        assert!(config.is_none() && found[0].level == Level::Fail);
        assert_eq!(found[0].hint, "did you mean `after`?");
    }
}
