//! Bad days, with an npm client that has them.

use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::Duration;

use super::*;

/// A PATH whose npm does this for `npm ci`; the machine's own programs come after.
fn npm(script: &str) -> (tempfile::TempDir, OsString) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("npm");
    let text =
        format!("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 11.0.0; exit; fi\n{script}\n");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(dir.path().to_owned()).chain(std::env::split_paths(&usual));
    let path = std::env::join_paths(all).unwrap();
    (dir, path)
}

fn left(data: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(data.join("engines")) else { return Vec::new() };
    entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_failed_download_is_told_and_leaves_nothing() {
    for (code, expected) in [
        ("ECONNREFUSED", "could not be reached"),
        ("ECONNRESET", "broke off"),
        ("EINTEGRITY", "not what it should be"),
        ("ENOSPC", "room"),
        ("E418", "npm failed"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let (_keep, path) = npm(&format!("echo 'npm error code {code}' >&2; exit 1"));
        let error = install_by(data.path(), path, &|_| {}).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{code}: {error}");
        assert!(!error.hint().is_empty());
        assert_eq!(left(data.path()), [".lock"], "{code}");
    }
}

#[tokio::test]
async fn an_npm_that_is_killed_is_not_blamed() {
    for (script, words) in [
        ("kill -9 $$", "npm was killed by signal 9"),
        ("kill -TERM $$", "npm was killed by signal 15"),
        ("exit 7", "npm failed (it did not say why)"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let (_keep, path) = npm(script);
        let error = install_by(data.path(), path, &|_| {}).await.unwrap_err();
        assert_eq!(error.to_string(), words);
        assert_eq!(left(data.path()), [".lock"], "{script}");
    }
}

#[tokio::test]
async fn an_npm_that_installs_nothing_is_noticed() {
    let data = tempfile::tempdir().unwrap();
    let (_keep, path) = npm("exit 0");
    let error = install_by(data.path(), path, &|_| {}).await.unwrap_err();
    assert!(matches!(error, InstallError::NotAnEngine { .. } | InstallError::Io { .. }), "{error}");
    assert_eq!(left(data.path()), [".lock"]);
}

#[tokio::test]
async fn cancelling_leaves_nothing_but_what_the_next_one_sweeps() {
    let data = tempfile::tempdir().unwrap();
    let (_keep, path) = npm("echo begun > begun; exec node -e 'setInterval(() => {}, 1000)'");
    let phases = Mutex::new(Vec::new());
    let report = |progress: Progress| phases.lock().unwrap().push(progress.phase);
    let mut work = Box::pin(install_by(data.path(), path, &report));
    let begun = || {
        left(data.path())
            .iter()
            .any(|name| data.path().join("engines").join(name).join("node/begun").exists())
    };
    while !begun() {
        let step = tokio::time::timeout(Duration::from_millis(20), &mut work).await;
        assert!(step.is_err(), "{step:?}");
    }
    drop(work);
    assert_eq!(phases.lock().unwrap()[..2], [Phase::Preparing, Phase::Node]);
    let (_keep, path) = npm("echo 'npm error code ECONNREFUSED' >&2; exit 1");
    assert!(install_by(data.path(), path, &|_| {}).await.is_err());
    assert_eq!(left(data.path()), [".lock"]);
}

#[test]
fn nothing_is_installed_in_an_empty_directory() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(installed(data.path()).unwrap(), None);
    assert!(matches!(adopt(data.path()), Err(InstallError::NotAnEngine { .. })));
}

#[test]
fn a_directory_of_an_older_engine_is_not_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let module = dir.path().join("node_modules/openclaw");
    std::fs::create_dir_all(&module).unwrap();
    std::fs::write(module.join("package.json"), r#"{"version":"2026.6.1"}"#).unwrap();
    let error = adopt(dir.path()).unwrap_err();
    assert!(error.to_string().contains("2026.6.1"), "{error}");
}
