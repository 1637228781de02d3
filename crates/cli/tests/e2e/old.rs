//! What other installations leave, made of what a real engine remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Whom the assistant knows.
pub const NAME: &str = "Robin";
/// What it wrote down for itself.
pub const MEMORY: &str = "# Memory\nThe aunt is called Zerlina.\n";

/// One way to leave an installation.
pub struct Layout {
    /// What people call it.
    pub name: &'static str,
    /// What it is taken for.
    pub origin: &'static str,
    /// Lays it into a directory, and says what to import.
    pub lay: fn(&Old, &Path) -> PathBuf,
}

const fn layout(
    name: &'static str,
    origin: &'static str,
    lay: fn(&Old, &Path) -> PathBuf,
) -> Layout {
    Layout { name, origin, lay }
}

/// All of them.
pub const LAYOUTS: &[Layout] = &[
    layout("a home with .openclaw", "home", |old, at| {
        old.lay(&at.join(".openclaw"), "openclaw.json", "/home/alice/clawd", Age::Databases);
        memory(&at.join("clawd"));
        at.to_owned()
    }),
    layout("a home with .clawdbot", "home", |old, at| {
        old.lay(&at.join(".clawdbot"), "clawdbot.json", "/home/alice/clawd", Age::Files);
        memory(&at.join("clawd"));
        at.to_owned()
    }),
    layout("~/.openclaw", "state", |old, at| {
        let state = at.join(".openclaw");
        old.lay(&state, "openclaw.json", "~/.openclaw/workspace", Age::Databases);
        memory(&state.join("workspace"));
        state
    }),
    layout("openclaw backup", "backup", |old, _| old.backup()),
    layout("root", "bucket-root", |old, at| {
        old.root(&at.join("root"), Age::Databases);
        at.to_owned()
    }),
    layout("backup.tar.gz", "bucket-tar", |old, at| {
        let (all, user) = (at.join("all"), at.join("user"));
        old.root(&all.join("root"), Age::Files);
        fs::create_dir_all(user.join("openclaw")).unwrap();
        tar(&all, "root", &user.join("backup.tar.gz"));
        fs::write(user.join(".last-sync"), "tar-1|2026-01-01T00:00:00Z").unwrap();
        fs::write(user.join("secrets.json"), "{}").unwrap();
        fs::write(user.join("openclaw/openclaw.json"), "{}").unwrap();
        user
    }),
    layout("the archive of backup.tar.gz alone", "bucket-root", |old, at| {
        old.root(&at.join("root"), Age::Files);
        tar(at, "root", &at.join("backup.tar.gz"));
        at.join("backup.tar.gz")
    }),
    layout("openclaw", "bucket-state", |old, at| {
        let state = at.join("openclaw");
        old.lay(&state, "openclaw.json", "/root/openclaw", Age::Databases);
        memory(&state.join("workspace"));
        at.to_owned()
    }),
    layout("clawdbot", "bucket-state", |old, at| {
        let state = at.join("clawdbot");
        old.lay(&state, "clawdbot.json", "/root/clawd", Age::Files);
        memory(&state.join("workspace"));
        at.to_owned()
    }),
    layout("openclaw, workspace and skills", "bucket-parts", |old, at| {
        old.lay(&at.join("openclaw"), "openclaw.json", "/root/clawd", Age::Files);
        memory(&at.join("workspace"));
        fs::create_dir_all(at.join("skills/cook")).unwrap();
        let skill = "---\nname: cook\ndescription: Cooks.\n---\nCook.\n";
        fs::write(at.join("skills/cook/SKILL.md"), skill).unwrap();
        at.to_owned()
    }),
    layout("smartbox export", "export", |old, _| old.export()),
];

/// How an engine kept what was said.
#[derive(Clone, Copy)]
pub enum Age {
    /// In databases, as the engine does that it is imported to.
    Databases,
    /// In a file for each conversation, as the original's did.
    Files,
}

/// What there is to lay out.
pub struct Old {
    dir: PathBuf,
    said: Vec<Value>,
}

impl Old {
    /// Takes the home of a smartbox that is stopped.
    pub fn new(dir: &Path, said: Vec<Value>, home: &Path) -> Self {
        let old = Self { dir: dir.to_owned(), said };
        fs::rename(home.join("kept.tar.gz"), old.backup()).unwrap();
        run("cp", &["-a", home.to_str().unwrap(), old.dir.join("home").to_str().unwrap()]);
        old
    }

    /// Where our own archive is.
    pub fn export(&self) -> PathBuf {
        self.dir.join("pa.smartbox")
    }

    fn backup(&self) -> PathBuf {
        self.dir.join("openclaw-backup.tar.gz")
    }

    /// The original's `/root`.
    fn root(&self, root: &Path, age: Age) {
        let state = root.join(".openclaw");
        self.lay(&state, "openclaw.json", "/root/openclaw", age);
        fs::write(state.join(".restore-time"), "1").unwrap();
        memory(&root.join("openclaw"));
        fs::create_dir_all(root.join("life")).unwrap();
        fs::write(root.join("life/areas.md"), "areas").unwrap();
    }

    /// A state directory: the configuration of those days, and what was said.
    fn lay(&self, state: &Path, name: &str, workspace: &str, age: Age) {
        fs::create_dir_all(state).unwrap();
        match age {
            Age::Files => self.files(state),
            Age::Databases => {
                let from = self.dir.join("home/.openclaw");
                run("cp", &["-a", &format!("{}/.", from.display()), state.to_str().unwrap()]);
                fs::remove_dir_all(state.join("workspace")).unwrap();
                fs::remove_file(state.join("openclaw.json")).unwrap();
            }
        }
        fs::write(state.join(name), old_config(workspace).to_string()).unwrap();
    }

    /// Conversations as files, and what else lay beside them.
    fn files(&self, state: &Path) {
        let sessions = state.join("agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        let id = "3f0c1a9e-5b1d-4c58-9d64-0a5d9c2b7e11";
        let file = format!("/root/.openclaw/agents/main/sessions/{id}.jsonl");
        let at = self.said.iter().filter_map(|entry| entry["at"].as_i64()).max().unwrap();
        let index = json!({ "agent:main:main": {
            "sessionId": id, "updatedAt": at, "sessionFile": file, "chatType": "direct",
            "modelProvider": "anthropic", "model": "claude-sonnet-4-5", "totalTokens": 20,
        } });
        fs::write(sessions.join("sessions.json"), index.to_string()).unwrap();
        let head = json!({ "type": "session", "version": 3, "id": id, "timestamp": "2026-01-01T00:00:00.000Z",
            "cwd": "/root/openclaw" });
        let mut lines = head.to_string() + "\n";
        let mut before = Value::Null;
        for (n, entry) in self.said.iter().enumerate() {
            let (id, role) = (json!(format!("0000000{n}")), &entry["role"]);
            let mut message = json!({ "role": "user", "timestamp": entry["at"],
                "content": [{ "type": "text", "text": entry["text"] }] });
            match role.as_str().unwrap() {
                "person" => {}
                "assistant" => {
                    message["role"] = json!("assistant");
                    message["api"] = json!("anthropic-messages");
                    message["provider"] = json!("anthropic");
                    message["model"] = json!("claude-sonnet-4-5");
                    message["stopReason"] = json!("stop");
                    message["usage"] = json!({ "input": 9, "output": 9, "cacheRead": 0, "cacheWrite": 0,
                        "totalTokens": 18, "cost": { "input": 0, "output": 0, "cacheRead": 0,
                        "cacheWrite": 0, "total": 0 } });
                }
                _ => continue,
            }
            let line = json!({ "type": "message", "id": id, "parentId": before, "message": message,
                "timestamp": "2026-01-01T00:00:00.000Z" });
            lines += &(line.to_string() + "\n");
            before = id;
        }
        fs::write(sessions.join(format!("{id}.jsonl")), lines).unwrap();
        for (path, text) in [
            ("devices/paired.json", "{}"),
            ("devices/pending.json", "{}"),
            ("credentials/telegram-pairing.json", r#"{"version":1,"requests":[]}"#),
            ("telegram/update-offset-default.json", r#"{"version":1,"lastUpdateId":7}"#),
            ("gateway.lock", "1"),
        ] {
            let at = state.join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, text).unwrap();
        }
    }
}

/// As the original's start script left it: a token, a model of its own, a channel, and keys that the
/// engine of today refuses.
fn old_config(workspace: &str) -> Value {
    json!({
        "agents": { "defaults": {
            "workspace": workspace,
            "model": { "primary": "anthropic/claude-sonnet-4-5" },
            "models": { "anthropic/claude-sonnet-4-5": { "alias": "Sonnet 4.5" } },
            "maxConcurrent": 4,
        } },
        "gateway": {
            "port": 18789, "mode": "local", "trustedProxies": ["10.1.0.0"],
            "auth": { "mode": "token", "token": "old-token" },
            "controlUi": { "allowInsecureAuth": true },
        },
        "models": { "providers": { "anthropic": {
            "baseUrl": "https://gateway.example/anthropic", "apiKey": "sk-old", "api": "anthropic-messages",
            "models": [{ "id": "claude-sonnet-4-5", "name": "Sonnet 4.5", "contextWindow": 200_000 }],
        } } },
        "channels": { "telegram": { "botToken": "123:abc", "enabled": false, "dmPolicy": "pairing" } },
        "messages": { "ackReactionScope": "group-mentions" },
        "providers": { "telegram": {} },
    })
}

fn memory(workspace: &Path) {
    fs::create_dir_all(workspace).unwrap();
    fs::write(workspace.join("MEMORY.md"), MEMORY).unwrap();
}

fn tar(from: &Path, what: &str, to: &Path) {
    run("tar", &["-czf", to.to_str().unwrap(), "-C", from.to_str().unwrap(), what]);
}

fn run(program: &str, args: &[&str]) {
    let out = Command::new(program).args(args).output().unwrap();
    assert!(out.status.success(), "{program} {args:?}: {out:?}");
}
