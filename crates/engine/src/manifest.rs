//! The manifests that ship with the platform: data, parsed from TOML.

use std::path::Path;

use smartbox_core::engine::Manifest;
use smartbox_core::sandbox::{ENGINE_DIR, HOME_DIR};

const OPENCLAW: &str = include_str!("../manifests/openclaw.toml");
const PUPPET: &str = include_str!("../manifests/puppet.toml");

/// A manifest that is not understood.
#[derive(Debug, thiserror::Error)]
#[error("the engine manifest is not understood")]
pub struct BadManifest(#[from] toml::de::Error);

/// Reads a manifest.
pub fn parse(text: &str) -> Result<Manifest, BadManifest> {
    Ok(toml::from_str(text)?)
}

/// The manifest of OpenClaw.
pub fn openclaw() -> Result<Manifest, BadManifest> {
    parse(OPENCLAW)
}

/// The manifest of puppet.
pub fn puppet() -> Result<Manifest, BadManifest> {
    parse(PUPPET)
}

/// The same manifest for an engine that runs without a sandbox: every mention of the box's engine
/// and home directory names these directories of the host instead.
#[must_use]
pub fn unboxed(manifest: &Manifest, engine: &Path, home: &Path) -> Manifest {
    let (engine, home) = (engine.to_string_lossy(), home.to_string_lossy());
    let swap = |text: &String| text.replace(ENGINE_DIR, &engine).replace(HOME_DIR, &home);
    let mut out = manifest.clone();
    out.argv = manifest.argv.iter().map(swap).collect();
    out.doctor = manifest.doctor.iter().map(swap).collect();
    out.env = manifest.env.iter().map(|(k, v)| (k.clone(), swap(v))).collect();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_manifests_are_understood() {
        let real = openclaw().unwrap();
        assert_eq!(real.name, "openclaw");
        assert!(real.config_exit.contains(&78));
        assert_eq!(puppet().unwrap().port, real.port);
    }

    #[test]
    fn no_credential_is_in_an_environment() {
        for manifest in [openclaw().unwrap(), puppet().unwrap()] {
            for name in manifest.env.keys() {
                assert!(!name.contains("TOKEN") && !name.contains("PASSWORD"), "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(parse("name = \"x\"\ncolour = \"red\"").is_err());
    }

    #[test]
    fn without_a_sandbox_paths_name_the_host() {
        let there = unboxed(&openclaw().unwrap(), Path::new("/e"), Path::new("/h"));
        assert_eq!(
            (there.argv[0].as_str(), there.doctor[0].as_str()),
            ("/e/bin/node", "/e/bin/node")
        );
        assert_eq!(there.env["OPENCLAW_STATE_DIR"], "/h/.openclaw");
    }
}
