//! Takes out what nobody needs at run time: a third of the bytes, half of the files.

use std::fs;
use std::path::Path;

use super::InstallError;

/// Whole directories: bundles for machines in the cloud, and a driver of desktops. A box is neither.
const DIRECTORIES: &[&str] = &["node_modules/openclaw/dist/worker"];
/// Directories whose names begin so, in `node_modules/@trycua`.
const DRIVERS: &str = "cua-driver-";

/// Trims a fresh installation.
pub(super) fn trim(dir: &Path) -> Result<(), InstallError> {
    let io = InstallError::io("trimming");
    for name in DIRECTORIES {
        match fs::remove_dir_all(dir.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(io(error)),
        }
    }
    if let Ok(entries) = fs::read_dir(dir.join("node_modules/@trycua")) {
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(DRIVERS) {
                fs::remove_dir_all(entry.path()).map_err(&io)?;
            }
        }
    }
    let modules = dir.join("node_modules");
    walk(&modules, &mut |path| {
        if is_for_developers(path) { fs::remove_file(path) } else { Ok(()) }
    })
    .map_err(io)
}

/// Type declarations and source maps; TypeScript reads its own when it runs.
fn is_for_developers(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let ends =
        [".d.ts", ".d.mts", ".d.cts", ".js.map", ".mjs.map", ".cjs.map", ".css.map", ".ts.map"];
    ends.iter().any(|end| name.ends_with(end)) && !name.contains("/node_modules/typescript/")
}

/// Bytes of all files below.
pub(super) fn size(dir: &Path) -> u64 {
    let mut bytes = 0;
    // What cannot be read is not counted.
    let _ = walk(dir, &mut |path| {
        bytes += fs::symlink_metadata(path)?.len();
        Ok(())
    });
    bytes
}

/// Calls `each` for all files and links below, not following links.
pub(super) fn walk(
    dir: &Path,
    each: &mut dyn FnMut(&Path) -> std::io::Result<()>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(&path, each)?;
        } else {
            each(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_go_and_code_stays() {
        let dir = tempfile::tempdir().unwrap();
        let files = [
            ("node_modules/a/index.d.ts", false),
            ("node_modules/a/index.js", true),
            ("node_modules/a/index.js.map", false),
            ("node_modules/a/site.map", true),
            ("node_modules/typescript/lib/lib.d.ts", true),
            ("node_modules/openclaw/dist/worker/x.js", false),
            ("node_modules/@trycua/cua-driver-linux-x64-gnu/x.node", false),
            ("node_modules/openclaw/docs/index.md", true),
        ];
        for (name, _) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        trim(dir.path()).unwrap();
        for (name, stays) in files {
            assert_eq!(dir.path().join(name).exists(), stays, "{name}");
        }
    }
}
