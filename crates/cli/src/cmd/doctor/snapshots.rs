//! Where snapshots go, and whether that place takes them: a small object is written there, read and
//! removed.

use std::error::Error;
use std::time::Duration;

use smartbox_core::snapshot::port::SnapshotError;
use smartbox_server::TrySnapshots;
use smartbox_server::config::Config;

use super::check::Check;

const NAME: &str = "snapshots";

/// A doctor does not wait as long as a snapshot would.
const PATIENCE: Duration = Duration::from_secs(20);

/// `kept` says that the platform's vault has keys to a bucket, which are not opened for this.
pub(super) async fn check(config: &Config, kept: bool) -> Check {
    if kept && config.snapshots.given.is_empty() {
        let what =
            "they go to a bucket whose keys the vault keeps, from the next start at the latest";
        return Check::ok(NAME, what);
    }
    match tokio::time::timeout(PATIENCE, smartbox_server::try_snapshots(config)).await {
        Ok(Ok(place)) => Check::ok(NAME, format!("they go to {place}")),
        Ok(Err(error)) => judge(&error),
        Err(_) => Check::fail(NAME, "their storage does not answer", AWAY),
    }
}

const AWAY: &str = "see whether the address is right and this machine reaches it; snapshots are taken \
                    once it answers";

fn judge(error: &TrySnapshots) -> Check {
    let error = match error {
        // What the environment lacks the vault may have, which is not opened for this.
        TrySnapshots::Config(error) => {
            let what = format!("{error}, unless the vault keeps it for the platform");
            return Check::warn(NAME, what, error.hint());
        }
        TrySnapshots::Storage(error) => error,
    };
    let hint = match error {
        SnapshotError::Missing { .. } => "make the bucket, or correct `snapshots.bucket`",
        SnapshotError::Refused(_) => {
            "see whether the key is right and may read, write and remove, and this machine's clock too"
        }
        SnapshotError::Full => "make room, or say another place in `[snapshots]`",
        SnapshotError::Away(_) => AWAY,
        _ => "docs/guides/snapshots.md says what each error means",
    };
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Check::fail(NAME, format!("{error}{cause}"), hint)
}

#[cfg(test)]
mod tests {
    use smartbox_server::config::{Env, Overrides};

    use super::*;
    use crate::cmd::doctor::check::Level;

    fn config(dir: &std::path::Path, text: &str, env: &Env) -> Config {
        Config::from_text(dir, text, env, &Overrides::default()).unwrap()
    }

    #[tokio::test]
    async fn where_they_go_is_said_and_tried() {
        let dir = tempfile::tempdir().unwrap();
        let usual = config(dir.path(), "", &Env::default());
        let found = check(&usual, false).await;
        assert!(found.level == Level::Ok && found.what.contains("not there yet"), "{found:?}");
        assert!(!dir.path().join("snapshots").exists(), "nothing is made");
        let found = check(&usual, true).await;
        assert!(found.level == Level::Ok && found.what.contains("the vault keeps"), "{found:?}");

        std::fs::create_dir(dir.path().join("snapshots")).unwrap();
        let found = check(&usual, false).await;
        let told = dir.path().join("snapshots").display().to_string();
        assert!(found.level == Level::Ok && found.what.ends_with(&told), "{found:?}");
        assert_eq!(std::fs::read_dir(dir.path().join("snapshots")).unwrap().count(), 0);

        std::fs::remove_dir(dir.path().join("snapshots")).unwrap();
        std::fs::write(dir.path().join("snapshots"), "a file").unwrap();
        assert_eq!(check(&usual, false).await.level, Level::Fail);
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_no_value_is() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::of([("R2_ACCESS_KEY_ID", "canary")]);
        let found = check(&config(dir.path(), "", &env), true).await;
        assert_eq!(found.level, Level::Warn);
        let text = format!("{found:?}");
        assert!(text.contains("R2_SECRET_ACCESS_KEY") && text.contains("CF_ACCOUNT_ID"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
