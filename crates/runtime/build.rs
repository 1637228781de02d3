//! Builds init, the box's PID 1, as a static executable of its own and hands it to the crate.
//!
//! `SMARTBOX_INIT_BIN` names a ready one instead.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(var("OUT_DIR"));
    let workspace = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("../..");
    println!("cargo::rerun-if-env-changed=SMARTBOX_INIT_BIN");
    let init = match env::var_os("SMARTBOX_INIT_BIN") {
        Some(ready) => PathBuf::from(ready),
        None => build(&workspace, &out),
    };
    println!("cargo::rerun-if-changed={}", init.display());
    let bytes = fs::read(&init).unwrap_or_else(|e| panic!("reading {}: {e}", init.display()));
    let to = out.join("init.bin");
    // Untouched if unchanged, so that the crate is not compiled again for nothing.
    if fs::read(&to).ok().as_deref() != Some(&bytes) {
        fs::write(&to, &bytes).unwrap_or_else(|e| panic!("writing {}: {e}", to.display()));
    }
    println!("cargo::rustc-env=SMARTBOX_INIT_HASH={:016x}", fnv(&bytes));
}

fn build(workspace: &Path, out: &Path) -> PathBuf {
    for source in ["crates/init", "crates/link", "crates/home"] {
        println!("cargo::rerun-if-changed={}", workspace.join(source).join("src").display());
        println!("cargo::rerun-if-changed={}", workspace.join(source).join("Cargo.toml").display());
    }
    println!("cargo::rerun-if-changed={}", workspace.join("Cargo.lock").display());
    let target = var("TARGET");
    let target_dir = out.join("init");
    let mut cargo = Command::new(var("CARGO"));
    cargo
        .current_dir(workspace)
        .args(["build", "--package", "smartbox-init", "--profile", "init", "--target", &target])
        .arg("--target-dir")
        .arg(&target_dir)
        // What the outer build says of itself is not meant for the inner one.
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("CLIPPY_ARGS")
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "-Ctarget-feature=+crt-static\u{1f}-Crelocation-model=static",
        );
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_FEATURE_", "CARGO_CFG_", "CARGO_PROFILE_"].iter().any(|p| text.starts_with(p)) {
            cargo.env_remove(&name);
        }
    }
    let status = cargo.status().unwrap_or_else(|e| panic!("starting cargo for init: {e}"));
    assert!(status.success(), "building smartbox-init failed; its messages are above");
    target_dir.join(&target).join("init/smartbox-init")
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// FNV-1a: names the file, protects nothing.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
