use serde_json::json;

use super::*;
use crate::moves::detect;

fn target() -> Target {
    Target {
        state: ".openclaw".into(),
        config: ".openclaw/openclaw.json".into(),
        workspace: ".openclaw/workspace".into(),
    }
}

fn plan(paths: &[&str], manifest: Option<&Value>, config: Option<Value>) -> Plan {
    let found: Vec<Found> = paths.iter().map(|path| Found::new(*path, 1000)).collect();
    let layout = detect(&found, "").unwrap();
    layout.plan(&found, manifest, |_| config, &target())
}

/// Each path and where it comes; nothing if it is left out.
fn check(plan: &Plan, expected: &[(&str, Option<&str>)]) {
    for (path, to) in expected {
        let place = match plan.place(path.as_bytes()) {
            Place::To(to) => Some(String::from_utf8(to).unwrap()),
            Place::Out(_) => None,
        };
        assert_eq!(place.as_deref(), *to, "{path}");
    }
}

fn works_in(path: &str) -> Option<Value> {
    Some(json!({ "agents": { "defaults": { "workspace": path } } }))
}

#[test]
fn a_home_comes_as_it_is_without_what_is_remade() {
    let paths = [".openclaw/openclaw.json", ".openclaw/workspace/MEMORY.md", "life/areas.md"];
    let plan = plan(&paths, None, None);
    check(
        &plan,
        &[
            (".openclaw/openclaw.json", Some(".openclaw/openclaw.json")),
            (".openclaw/workspace/MEMORY.md", Some(".openclaw/workspace/MEMORY.md")),
            (".openclaw/state/openclaw.sqlite", Some(".openclaw/state/openclaw.sqlite")),
            (".openclaw/state/openclaw.sqlite-wal", Some(".openclaw/state/openclaw.sqlite-wal")),
            (".openclaw/state/openclaw.sqlite-shm", None),
            (".openclaw/cache/control-ui-assets/x.js", None),
            (".openclaw/gateway.lock", None),
            (".openclaw/.restore-time", None),
            ("life/areas.md", Some("life/areas.md")),
            (".npm/_cacache/x", None),
            (".clawdbot/clawdbot.json", None),
            (".smartbox/incoming/x", None),
        ],
    );
    assert!(plan.warnings.is_empty());
}

#[test]
fn a_workspace_elsewhere_comes_where_the_engine_looks() {
    let paths = [".clawdbot/clawdbot.json", "clawd/SOUL.md", "clawd/memory/a.md", "other/x"];
    // Named by its configuration, by whatever the old home was called.
    let named = plan(&paths, None, works_in("/home/alice/clawd"));
    let expected = [
        (".clawdbot/clawdbot.json", Some(".openclaw/openclaw.json")),
        (".clawdbot/agents/main/x", Some(".openclaw/agents/main/x")),
        ("clawd/SOUL.md", Some(".openclaw/workspace/SOUL.md")),
        ("clawd/memory/a.md", Some(".openclaw/workspace/memory/a.md")),
        ("other/x", Some("other/x")),
    ];
    check(&named, &expected);
    let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    assert!(
        named.relocations.contains(&pair("/home/alice/clawd", "/home/box/.openclaw/workspace"))
    );
    assert!(named.relocations.contains(&pair("/home/alice", "/home/box")));
    // Not named: known by what lies in it.
    check(&plan(&paths, None, None), &expected);
}

#[test]
fn of_two_workspaces_none_is_lost() {
    let paths = [".openclaw/openclaw.json", ".openclaw/workspace/SOUL.md", "openclaw/SOUL.md"];
    let plan = plan(&paths, None, works_in("~/openclaw"));
    check(
        &plan,
        &[
            ("openclaw/SOUL.md", Some(".openclaw/workspace/SOUL.md")),
            (".openclaw/workspace/SOUL.md", Some(".openclaw/workspace-before-import/SOUL.md")),
        ],
    );
    assert_eq!(plan.warnings.len(), 1);
}

#[test]
fn the_original_s_buckets_come_home() {
    let root = ["root/.openclaw/openclaw.json", "root/openclaw/MEMORY.md", "secrets.json"];
    let rooted = plan(&root, None, works_in("/root/openclaw"));
    check(
        &rooted,
        &[
            ("root/.openclaw/openclaw.json", Some(".openclaw/openclaw.json")),
            ("root/openclaw/MEMORY.md", Some(".openclaw/workspace/MEMORY.md")),
            ("root/life/x.md", Some("life/x.md")),
            ("secrets.json", None),
            ("root/.clawdbot/clawdbot.json", None),
        ],
    );
    assert_eq!(rooted.relocations[0].0, "/root/.openclaw");
    assert!(
        rooted
            .relocations
            .contains(&("/root/openclaw".into(), "/home/box/.openclaw/workspace".into()))
    );

    let state = ["openclaw/openclaw.json", "openclaw/devices/paired.json", ".registered"];
    check(
        &plan(&state, None, None),
        &[
            ("openclaw/openclaw.json", Some(".openclaw/openclaw.json")),
            ("openclaw/devices/paired.json", Some(".openclaw/devices/paired.json")),
            (".registered", None),
        ],
    );

    let parts = ["clawdbot/clawdbot.json", "workspace/MEMORY.md", "skills/cook/SKILL.md"];
    let parts = plan(&parts, None, works_in("/root/clawd"));
    check(
        &parts,
        &[
            ("clawdbot/clawdbot.json", Some(".openclaw/openclaw.json")),
            ("workspace/MEMORY.md", Some(".openclaw/workspace/MEMORY.md")),
            ("skills/cook/SKILL.md", Some(".openclaw/workspace/skills/cook/SKILL.md")),
        ],
    );
    assert!(
        parts.relocations.contains(&("/root/clawd".into(), "/home/box/.openclaw/workspace".into()))
    );
}

#[test]
fn an_older_state_beside_the_one_in_force_is_left_out() {
    let root = ["root/.clawdbot/clawdbot.json", "root/clawd/SOUL.md", "root/.moltbot/x"];
    check(
        &plan(&root, None, None),
        &[
            ("root/.clawdbot/clawdbot.json", Some(".openclaw/openclaw.json")),
            ("root/clawd/SOUL.md", Some(".openclaw/workspace/SOUL.md")),
            ("root/.moltbot/x", None),
        ],
    );
}

#[test]
fn a_backup_s_manifest_says_what_lies_where() {
    let at = "2026-openclaw-backup";
    let asset = |kind: &str, source: &str| json!({ "kind": kind, "sourcePath": source, "archivePath": format!("{at}/payload/posix{source}") });
    let manifest = json!({ "schemaVersion": 1, "assets": [
        asset("state", "/home/alice/.openclaw"),
        asset("workspace", "/srv/work"),
        asset("workspace", "/srv/second"),
    ]});
    let paths = [
        "2026-openclaw-backup/manifest.json",
        "2026-openclaw-backup/payload/posix/home/alice/.openclaw/openclaw.json",
    ];
    let plan = plan(&paths, Some(&manifest), None);
    check(
        &plan,
        &[
            (paths[0], None),
            (paths[1], Some(".openclaw/openclaw.json")),
            (
                "2026-openclaw-backup/payload/posix/srv/work/MEMORY.md",
                Some(".openclaw/workspace/MEMORY.md"),
            ),
            ("2026-openclaw-backup/payload/posix/srv/second/a", Some(".openclaw/workspace-2/a")),
            ("2026-openclaw-backup/payload/posix/etc/passwd", None),
        ],
    );
    assert!(
        plan.relocations.contains(&("/srv/work".into(), "/home/box/.openclaw/workspace".into()))
    );
    assert!(plan.relocations.contains(&("/home/alice".into(), "/home/box".into())));
}

#[test]
fn a_hostile_manifest_claims_nothing_outside_of_its_archive() {
    let manifest = json!({ "assets": [
        { "kind": "state", "sourcePath": "/", "archivePath": "../../etc" },
        { "kind": "state", "sourcePath": "", "archivePath": "" },
        { "kind": 7 },
    ]});
    let plan = plan(&["x/manifest.json", "x/payload/a"], Some(&manifest), None);
    check(&plan, &[("x/payload/a", None), ("x/manifest.json", None), ("etc/passwd", None)]);
    assert!(plan.relocations.is_empty(), "{:?}", plan.relocations);
}

#[test]
fn everything_in_an_archive_of_ours_belongs_to_the_home() {
    let plan = plan(&["box.json", "home/a"], None, None);
    check(&plan, &[("home/.openclaw/cache/x", Some(".openclaw/cache/x")), ("box.json", None)]);
}
