//! What this machine gives for isolation, found out by the runtime itself: it makes a sandbox's
//! namespaces once and lets them go.

use smartbox_core::sandbox::{Capabilities, Feature};

use super::check::Check;

/// "Runtime unavailable" of the original's troubleshooting, and every feature by name.
pub(super) async fn checks() -> Vec<Check> {
    match smartbox_server::detect().await {
        Ok(found) => judge(&found),
        Err(error) => vec![Check::fail(
            "runtime",
            format!("no smartbox can run: {error}"),
            "`smartbox up --insecure-no-sandbox` runs them without isolation: only for trying out",
        )],
    }
}

fn judge(found: &Capabilities) -> Vec<Check> {
    let profile = &found.profile;
    let mut checks = vec![match profile.as_str() {
        "full" => Check::ok("runtime", format!("{}, profile full", found.driver)),
        _ => Check::warn(
            "runtime",
            format!("{}, profile {profile}: isolated, with fewer limits", found.driver),
            "run `smartbox up` as root for a uid and limits for each smartbox",
        ),
    }];
    // Paging out is about swap, which has a check of its own.
    let features = found.features.iter().filter(|(name, _)| *name != "page-out");
    checks.extend(features.map(|(name, feature)| one(name, feature)));
    checks
}

fn one(name: &str, feature: &Feature) -> Check {
    let name = name.to_owned();
    if feature.on {
        return Check::ok(name, feature.note.clone());
    }
    let hint = match name.as_str() {
        "landlock" => "namespaces guard the files alone; add landlock to the kernel's lsm= list",
        "uid-per-box" | "cgroup" => "run `smartbox up` as root",
        _ => "this limit does not hold; smartboxes run without it",
    };
    Check::warn(name, feature.note.clone(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::doctor::check::Level;

    #[test]
    fn a_missing_feature_is_a_warning_with_a_hint() {
        let feature = |on| Feature { on, note: "not in this kernel".into() };
        let features = [("landlock", false), ("seccomp", true), ("page-out", false)]
            .map(|(name, on)| (name.to_owned(), feature(on)));
        let found = Capabilities {
            driver: "native".into(),
            profile: "reduced".into(),
            features: features.into(),
        };
        let levels: Vec<_> =
            judge(&found).into_iter().map(|c| (c.name.into_owned(), c.level)).collect();
        assert_eq!(
            levels,
            [
                ("runtime".to_owned(), Level::Warn),
                ("landlock".to_owned(), Level::Warn),
                ("seccomp".to_owned(), Level::Ok)
            ]
        );
    }
}
