use super::*;

fn found(paths: &[&str]) -> Vec<Found> {
    paths.iter().map(|path| Found::new(*path, 1000)).collect()
}

fn told(paths: &[&str]) -> (Origin, String, Marker) {
    let layout = detect(&found(paths), "").unwrap_or_else(|e| panic!("{paths:?}: {e}"));
    (layout.origin, String::from_utf8(layout.at).unwrap(), layout.marker)
}

#[test]
fn every_layout_is_known_by_its_names() {
    use Marker::{Archive, Directory, Names};
    use Origin as O;
    let cases: &[(&[&str], Origin, &str, Marker)] = &[
        (&["box.json", "home/.openclaw/openclaw.json"], O::Export, "", Names),
        (&[".openclaw/openclaw.json", "notes.txt"], O::Home, "", Directory(".openclaw")),
        (&[".clawdbot/clawdbot.json", "clawd/SOUL.md"], O::Home, "", Directory(".clawdbot")),
        (&["openclaw.json", "agents/main/agent/x.sqlite"], O::State, "", Names),
        (&["clawdbot.json"], O::State, "", Names),
        (
            &[
                "2026-openclaw-backup/manifest.json",
                "2026-openclaw-backup/payload/posix/h/.openclaw/x",
            ],
            O::Backup,
            "2026-openclaw-backup",
            Names,
        ),
        (
            &["backup.tar.gz", ".last-sync", "openclaw/openclaw.json"],
            O::BucketTar,
            "",
            Archive("backup.tar.gz"),
        ),
        (&["backup-archive.tar.gz"], O::BucketTar, "", Archive("backup-archive.tar.gz")),
        // As an archive of `/root` relative to `/` unpacks, and as its files lie in a bucket.
        (
            &["root/.openclaw/openclaw.json", "root/openclaw/SOUL.md"],
            O::BucketRoot,
            "",
            Directory("root"),
        ),
        (&["root/.clawdbot/clawdbot.json", "secrets.json"], O::BucketRoot, "", Directory("root")),
        (
            &["openclaw/openclaw.json", "openclaw/devices/paired.json"],
            O::BucketState,
            "",
            Directory("openclaw"),
        ),
        (&["clawdbot/clawdbot.json"], O::BucketState, "", Directory("clawdbot")),
        (
            &["openclaw/openclaw.json", "workspace/MEMORY.md", "skills/x/SKILL.md"],
            O::BucketParts,
            "",
            Directory("openclaw"),
        ),
        (
            &["clawdbot/clawdbot.json", "skills/x/SKILL.md"],
            O::BucketParts,
            "",
            Directory("clawdbot"),
        ),
        // Deeper down, beside what does not matter.
        (
            &["users/u1/backup.tar.gz", "users/u1/.registered"],
            O::BucketTar,
            "users/u1",
            Archive("backup.tar.gz"),
        ),
        (&["home/alice/.openclaw/openclaw.json"], O::Home, "home/alice", Directory(".openclaw")),
    ];
    for (paths, origin, at, marker) in cases {
        assert_eq!(told(paths), (*origin, (*at).to_owned(), marker.clone()), "{paths:?}");
    }
}

#[test]
fn the_newest_generation_of_a_bucket_counts() {
    let all = ["backup.tar.gz", "root/.openclaw/openclaw.json", "clawdbot/clawdbot.json"];
    assert_eq!(told(&all).0, Origin::BucketTar);
    // What a failed upload left is no backup.
    let mut files = found(&all);
    files[0].size = 200;
    assert_eq!(detect(&files, "").unwrap().origin, Origin::BucketRoot);
    assert_eq!(
        told(&[".openclaw/openclaw.json", ".clawdbot/clawdbot.json"]).2,
        Marker::Directory(".openclaw")
    );
}

#[test]
fn an_assistant_within_a_workspace_is_part_of_it() {
    let paths = [".openclaw/openclaw.json", "projects/other/.openclaw/openclaw.json"];
    assert_eq!(told(&paths).1, "");
}

#[test]
fn what_is_not_clear_is_said() {
    assert_eq!(detect(&[], ""), Err(Unclear::Empty));
    assert_eq!(detect(&found(&["a/b"]), "c"), Err(Unclear::Empty));
    let unknown = detect(&found(&["photos/1.jpg", "readme.txt"]), "");
    assert_eq!(unknown, Err(Unclear::Unknown(vec!["photos".into(), "readme.txt".into()])));
    let two = found(&["users/a/backup.tar.gz", "users/b/root/.openclaw/openclaw.json"]);
    assert_eq!(detect(&two, ""), Err(Unclear::Several(vec!["users/a".into(), "users/b".into()])));
    assert_eq!(detect(&two, "users/b").unwrap().origin, Origin::BucketRoot);
    assert_eq!(detect(&two, "/users/a/").unwrap().at, b"users/a");
    // A name that only begins like the one that was asked for is another.
    assert_eq!(
        detect(&two, "users/").unwrap_err(),
        Unclear::Several(vec!["users/a".into(), "users/b".into()])
    );
    assert_eq!(detect(&found(&["users/ab/backup.tar.gz"]), "users/a"), Err(Unclear::Empty));
    let both = found(&[".openclaw/openclaw.json", "openclaw.json"]);
    assert_eq!(detect(&both, ""), Err(Unclear::Both(String::new())));
}

#[test]
fn a_user_s_assistant_deep_in_a_bucket_is_found_where_one_looks() {
    let files = found(&["a/b/c/d/e/f/g/root/.openclaw/openclaw.json"]);
    assert!(matches!(detect(&files, ""), Err(Unclear::Unknown(_))));
    assert_eq!(detect(&files, "a/b/c/d/e/f/g").unwrap().origin, Origin::BucketRoot);
}
