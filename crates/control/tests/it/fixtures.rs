//! What other installations leave: each known layout as a list of files, with a memory in it that the
//! assistant can be asked about.

use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What the assistant remembers.
pub const MEMORY: &str = "# Memory\nThe aunt is called Zerlina.\n";

/// A path and its bytes.
pub type File = (String, Vec<u8>);

fn file(path: &str, bytes: impl Into<Vec<u8>>) -> File {
    (path.to_owned(), bytes.into())
}

/// An old configuration that works in `workspace`, with a model of its own, a bot's token and a key that
/// no engine knows.
pub fn config(workspace: &str) -> Vec<u8> {
    serde_json::json!({
        "agents": { "defaults": { "workspace": workspace, "model": { "primary": "openai/old" } } },
        "models": { "providers": { "openai": { "apiKey": "sk-old" } } },
        "gateway": { "port": 18789, "auth": { "token": "old-token" } },
        "channels": { "telegram": { "botToken": "123:abc" } },
        "bad": true,
    })
    .to_string()
    .into_bytes()
}

/// A plain home, by whatever the state directory was called then.
pub fn home(state: &str, config_name: &str, workspace: &str) -> Vec<File> {
    vec![
        file(&format!("{state}/{config_name}"), config(&format!("/home/alice/{workspace}"))),
        file(&format!("{state}/credentials/x.json"), "{}"),
        file(&format!("{state}/cache/remade"), "x"),
        file(&format!("{state}/gateway.lock"), "1"),
        file(&format!("{workspace}/MEMORY.md"), MEMORY),
        file("life/areas.md", "areas"),
    ]
}

/// A state directory itself.
pub fn state() -> Vec<File> {
    vec![
        file("openclaw.json", config("~/.openclaw/workspace")),
        file("workspace/MEMORY.md", MEMORY),
        file(".env", "ANTHROPIC_API_KEY=sk-old\n"),
    ]
}

/// What `openclaw backup create` makes of a state directory and a workspace beside it.
pub fn backup() -> Vec<File> {
    let at = "2026-11-28T03-36-06.775+00-00-openclaw-backup";
    let asset = |kind: &str, source: &str| {
        let path = format!("{at}/payload/posix{source}");
        serde_json::json!({ "kind": kind, "sourcePath": source, "archivePath": path })
    };
    let assets = [asset("state", "/home/alice/.openclaw"), asset("workspace", "/srv/work")];
    let manifest = serde_json::json!({ "schemaVersion": 1, "archiveRoot": at, "assets": assets });
    vec![
        file(
            &format!("{at}/payload/posix/home/alice/.openclaw/openclaw.json"),
            config("/srv/work"),
        ),
        file(&format!("{at}/payload/posix/srv/work/MEMORY.md"), MEMORY),
        file(&format!("{at}/manifest.json"), manifest.to_string()),
    ]
}

/// What the original's `tar czf` of `/root` holds.
pub fn root() -> Vec<File> {
    vec![
        file("root/.openclaw/openclaw.json", config("/root/openclaw")),
        file("root/.openclaw/devices/paired.json", "[]"),
        file("root/.openclaw/.restore-time", "1"),
        file("root/openclaw/MEMORY.md", MEMORY),
        file("root/openclaw/memory/2026-01-01.md", "a day"),
    ]
}

/// A user's part of the original's bucket, with the archive in it.
pub fn bucket_tar() -> Vec<File> {
    vec![
        file("backup.tar.gz", gzip(&tar(&root()))),
        file(".last-sync", "tar-1|2026"),
        file("openclaw/openclaw.json", "{}"),
        file("secrets.json", "{}"),
    ]
}

/// An older generation: each file by itself.
pub fn bucket_state(name: &str) -> Vec<File> {
    vec![
        file(&format!("{name}/openclaw.json"), config("/root/clawd")),
        file(&format!("{name}/workspace/MEMORY.md"), MEMORY),
        file(&format!("{name}/devices/paired.json"), "[]"),
    ]
}

/// State, workspace and skills side by side.
pub fn bucket_parts() -> Vec<File> {
    vec![
        file("openclaw/openclaw.json", config("/root/clawd")),
        file("workspace/MEMORY.md", MEMORY),
        file("skills/cook/SKILL.md", "cook"),
    ]
}

/// As a tar archive.
pub fn tar(files: &[File]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, path, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// As a directory.
pub fn lay(files: &[File], dir: &Path) {
    for (path, bytes) in files {
        let at = dir.join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, bytes).unwrap();
    }
}

/// As a body that comes in pieces.
pub fn body(bytes: &[u8]) -> smartbox_core::BoxStream<'static, std::io::Result<Bytes>> {
    use futures_util::{StreamExt, stream};
    let pieces: Vec<_> = bytes.chunks(700).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}
