//! The real installation, from the registry. Takes a minute and 650 MB.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use smartbox_engine::install::{self, Progress};

/// Installs into the data directory named by `SMARTBOX_TEST_INSTALL`.
#[tokio::test]
async fn the_engine_installs() {
    let Some(data) = std::env::var_os("SMARTBOX_TEST_INSTALL") else {
        eprintln!("NOT CHECKED: the installation. Name a data directory in SMARTBOX_TEST_INSTALL.");
        return;
    };
    let data = Path::new(&data);
    let began = Instant::now();
    let seen = Mutex::new(Vec::<(Progress, f64)>::new());
    let report = |progress: Progress| {
        let mut seen = seen.lock().unwrap();
        if seen.last().is_none_or(|(last, _)| last.phase != progress.phase) {
            eprintln!("{:6.1} s {}", began.elapsed().as_secs_f64(), progress.phase.label());
        }
        seen.push((progress, began.elapsed().as_secs_f64()));
    };
    let there = install::install(data, &report).await.unwrap();
    eprintln!("{:6.1} s {there:?} {} MB", began.elapsed().as_secs_f64(), there.size() / 1_000_000);
    assert!(there.warm, "it is not warm");
    let again = install::install(data, &|_| {}).await.unwrap();
    assert_eq!(there, again);
    for (progress, _) in seen.lock().unwrap().iter() {
        assert!(progress.total == 0 || progress.done <= progress.total, "{progress:?}");
    }
}
