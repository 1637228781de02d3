//! Moving in straight from a bucket of the original, on a real S3 server.

use serde_json::Value;

use crate::moto::{KEYS, Moto};
use crate::platform::{Platform, puppet};

const MEMORY: &str = "# Memory\nThe aunt is called Zerlina.\n";

#[test]
fn a_bucket_of_the_original_becomes_a_smartbox() {
    let moto = Moto::start("moltbot-data");
    for user in ["1234", "99"] {
        for (name, text) in [
            ("openclaw/openclaw.json", r#"{"agents":{"defaults":{"workspace":"/root/clawd"}}}"#),
            ("workspace/MEMORY.md", MEMORY),
            ("skills/cook/SKILL.md", "cook"),
        ] {
            moto.put(&format!("moltbot-data/users/{user}/{name}"), text.as_bytes());
        }
    }
    let platform = Platform::start(&puppet(), &[]);
    assert!(platform.feed(&["secret", "set", "OLD_KEY"], KEYS[1].1).status.success());
    let endpoint = moto.endpoint();
    let given = [
        "--endpoint",
        &endpoint,
        "--region",
        "us-east-1",
        "--key-id",
        KEYS[0].1,
        "--key",
        "OLD_KEY",
    ];
    let import = |source: &str, rest: &[&str]| {
        platform.run(["import", source].iter().chain(&given).chain(rest).copied())
    };
    let several = import("s3://moltbot-data", &["--name", "old"]);
    assert!(!several.status.success(), "{several:?}");
    assert!(String::from_utf8_lossy(&several.stderr).contains("--within"), "{several:?}");
    for (source, name, rest) in [
        ("s3://moltbot-data/users/1234", "by-prefix", &[][..]),
        ("s3://moltbot-data", "within", &["--within", "users/99"][..]),
    ] {
        let rest: Vec<&str> = ["--name", name, "--json"].iter().chain(rest).copied().collect();
        let done = import(source, &rest);
        assert!(done.status.success(), "{done:?}");
        let done: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(done["files"], 3, "{done}");
        let found = std::process::Command::new("grep")
            .args(["-rl", "Zerlina"])
            .arg(platform.home(name))
            .output()
            .unwrap();
        assert!(found.status.success(), "{name} has no memory");
    }
    let missing = import("s3://no-such-bucket", &["--name", "none"]);
    assert!(!missing.status.success(), "{missing:?}");
    let local = platform.run(["import", "/nowhere", "--endpoint", &endpoint]);
    assert_eq!(local.status.code(), Some(2), "{local:?}");
    assert!(!platform.said().contains(KEYS[1].1), "the key is in the log");
}
