//! `up` on a bad day: what stands in its way is named, with a hint and an exit code, and nothing
//! is left behind that was not there.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use smartbox_api::problem::Exit;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store;
use smartbox_server::config::Env;
use smartbox_server::system::{SystemClock, SystemEntropy};
use smartbox_server::{BootError, UpOptions, up};
use smartbox_store::{Keys, Sqlite};

async fn fail(data_dir: &Path, listen: &str) -> BootError {
    let mut options = UpOptions::new(Env::default());
    options.data_dir = Some(data_dir.to_owned());
    options.listen = Some(listen.to_owned());
    up(options, |_| {}).await.expect_err("it should not start")
}

#[tokio::test]
async fn a_second_up_names_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut lock = std::fs::File::create(dir.path().join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    writeln!(lock, "4711").unwrap();
    let error = fail(dir.path(), "127.0.0.1:0").await;
    assert!(error.to_string().contains("process 4711"), "{error}");
    assert!(error.hint().contains("kill 4711"));
    assert_eq!(error.exit(), Exit::Running);
    assert!(!dir.path().join("control.sock").exists());
}

#[tokio::test]
async fn a_taken_port_is_learnt_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let error = fail(dir.path(), &address.to_string()).await;
    assert_eq!(error.to_string(), format!("{address} is taken by another program"));
    assert!(error.hint().contains("--listen 127.0.0.1:0"));
    assert_eq!(error.exit(), Exit::Listen);
    assert!(!dir.path().join("smartbox.db").exists());
    // Nor is the lock kept.
    let again = fail(dir.path(), &address.to_string()).await;
    assert_eq!(again.exit(), Exit::Listen);
}

#[tokio::test]
async fn a_wrong_configuration_or_place_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("smartbox.toml"), "[http]\nlitsen = \"x\"").unwrap();
    let error = fail(dir.path(), "127.0.0.1:0").await;
    assert_eq!((error.exit(), error.hint().as_str()), (Exit::Config, "did you mean `listen`?"));
    let error = fail(dir.path(), "nowhere").await;
    assert_eq!(error.exit(), Exit::Config);

    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = fail(&file.join("below"), "127.0.0.1:0").await;
    assert!(matches!(error.exit(), Exit::Data | Exit::Config), "{error}");
}

#[tokio::test]
async fn the_data_directory_is_closed_to_others() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    std::fs::create_dir(&dir).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    fail(&dir, &other.local_addr().unwrap().to_string()).await;
    for path in [dir.clone(), dir.join("keys"), dir.join("logs")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", path.display());
    }
}

/// What the vault keeps for the platform is found at the start, and one or two of the three are as wrong
/// there as in the environment, which wins and can put it right.
#[tokio::test]
async fn keys_to_a_bucket_are_found_in_the_vault() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("keys")).unwrap();
    let engine = "[engine]\nname = \"puppet\"\npath = \"/bin/true\"";
    std::fs::write(dir.path().join("smartbox.toml"), engine).unwrap();
    let (clock, database) = (Arc::new(SystemClock), dir.path().join("smartbox.db"));
    let key = dir.path().join("keys/master.key");
    let keys = Keys::load_or_create(&key, &database, &SystemEntropy).unwrap();
    let records = Sqlite::open(&database, keys, clock, Arc::new(SystemEntropy)).await.unwrap();
    let kept = store::write(&records, |tx| {
        let value = Secret::new("canary".to_owned());
        Box::pin(async move {
            tx.secrets().set(Scope::Platform, "R2_ACCESS_KEY_ID".into(), value).await
        })
    });
    kept.await.unwrap();
    records.close().await;
    let start = async |env: Env| {
        let mut options = UpOptions::new(env);
        options.data_dir = Some(dir.path().to_owned());
        options.listen = Some("127.0.0.1:0".into());
        options.insecure_no_sandbox = true;
        options.helper = vec!["/bin/false".into()];
        up(options, |_| {}).await.expect_err("it should not start")
    };
    let error = start(Env::default()).await;
    let said = format!("{error} / {} / {error:?}", error.hint());
    assert_eq!(error.exit(), Exit::Config, "{said}");
    assert!(said.contains("R2_SECRET_ACCESS_KEY and CF_ACCOUNT_ID"), "{said}");
    assert!(said.contains("secret rm R2_ACCESS_KEY_ID --platform"), "{said}");
    assert!(!said.contains("canary"), "{said}");
    // With one more from the environment only the last is missing: both places count together.
    let error = start(Env::of([("R2_SECRET_ACCESS_KEY", "canary")])).await;
    assert!(error.to_string().contains("CF_ACCOUNT_ID"), "{error}");
    assert!(!error.to_string().contains("R2_SECRET_ACCESS_KEY"), "{error}");
}
