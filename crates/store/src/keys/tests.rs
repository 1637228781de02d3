use std::fs;
use std::os::unix::fs::PermissionsExt;

use smartbox_core::id::Entropy;

use super::*;

struct Os;
impl Entropy for Os {
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).unwrap();
    }
}

fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (key, db) = (dir.path().join("master.key"), dir.path().join("smartbox.db"));
    (dir, key, db)
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_made_once_and_read_again() {
    let (dir, key, db) = folder();
    let first = Keys::load_or_create(&key, &db, &Os).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o7777, 0o600);
    fs::write(&db, "").unwrap();
    let second = Keys::load_or_create(&key, &db, &Os).unwrap();
    assert_eq!(*first.master, *second.master);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "only the key and the database");
}

#[test]
fn a_missing_key_beside_a_database_is_never_replaced() {
    let (_dir, key, db) = folder();
    fs::write(&db, "").unwrap();
    let error = Keys::load_or_create(&key, &db, &Os).unwrap_err();
    assert!(matches!(error, KeysError::Lost { .. }), "{error}");
    assert!(!key.exists());
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let (_dir, key, db) = folder();
        Keys::load_or_create(&key, &db, &Os).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let error = Keys::load_or_create(&key, &db, &Os).unwrap_err();
        assert!(matches!(error, KeysError::Permissions { mode: m, .. } if m == mode), "{error}");
        assert!(error.to_string().contains("chmod 600"));
    }
}

#[test]
fn what_is_not_a_key_is_refused_and_not_shown() {
    let long = "A".repeat(100_000);
    for text in ["", "hunter2", "aHVudGVyMg==", &"A".repeat(44), &long] {
        let (_dir, key, db) = folder();
        write(&key, text, 0o600);
        let error = Keys::load_or_create(&key, &db, &Os).unwrap_err();
        assert!(matches!(error, KeysError::Malformed { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let (_dir, key, db) = folder();
    fs::create_dir(&key).unwrap();
    let error = Keys::load_or_create(&key, &db, &Os).unwrap_err();
    assert!(matches!(error, KeysError::Malformed { .. }), "{error}");
}

#[test]
fn many_that_start_at_once_agree_on_one_key() {
    let (dir, key, db) = folder();
    let made: Vec<Keys> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| Keys::load_or_create(&key, &db, &Os).unwrap())).collect();
        starts.into_iter().map(|s| s.join().unwrap()).collect()
    });
    for other in &made {
        assert_eq!(*other.master, *made[0].master);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn what_a_killed_start_left_is_swept() {
    let (dir, key, db) = folder();
    write(&dir.path().join(".master.key.new-abc"), "half", 0o600);
    Keys::load_or_create(&key, &db, &Os).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn keys_do_not_print() {
    let keys = Keys::ephemeral(&Os);
    assert_eq!(format!("{keys:?}"), format!("Keys({})", keys.id()));
    assert_eq!(keys.id().len(), 16);
}

#[test]
fn a_key_in_the_keyring_is_read_and_one_that_is_none_is_refused() {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};
    let name = format!("smartbox-test-{}", std::process::id());
    assert!(matches!(Keys::of_keyring(&name), Err(KeysError::Keyring { .. })));
    let user = KeyRing::from_special_id(KeyRingIdentifier::User, true);
    // Some containers forbid keyrings, at one call or another; then the refusal above is all that there is.
    let Ok(key) = user.and_then(|ring| ring.add_key(&name, &"11".repeat(32))) else { return };
    // Whoever has it in the user's keyring alone possesses nothing: a login links it, and so does this thread.
    let thread = KeyRing::from_special_id(KeyRingIdentifier::Thread, true).unwrap();
    thread.link_keyring(user.unwrap()).unwrap();
    let there = Keys::of_keyring(&name);
    key.update(b"short").unwrap();
    let short = Keys::of_keyring(&name);
    key.invalidate().unwrap();
    assert_eq!(there.unwrap().id(), Keys::given(&"11".repeat(32), None).unwrap().id());
    assert!(matches!(short, Err(KeysError::Given { .. })), "{short:?}");
    assert!(matches!(Keys::of_keyring(&name), Err(KeysError::Keyring { .. })));
}
