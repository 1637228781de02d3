//! Configuration: every mistake is named with its place and what was meant.

use std::path::Path;
use std::time::Duration;

use smartbox_core::limit::Rate;
use smartbox_core::person::{Gives, Right, Role, Whom};
use smartbox_core::smartbox::Desired;
use smartbox_edge::Limits as EdgeLimits;
use smartbox_server::config::sign_in::AccessChoice;
use smartbox_server::config::sources::{Source, settings};
use smartbox_server::config::{Config, ConfigError, Env, Overrides, place};

fn load(text: &str, env: &Env) -> Result<Config, ConfigError> {
    Config::from_text(Path::new("/data"), text, env, &Overrides::default())
}

#[test]
fn without_file_or_environment_the_defaults_hold() {
    let config = load("", &Env::default()).unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:7777");
    assert_eq!(config.sleep.desired(), Desired::On);
    assert_eq!(config.engine.name, "openclaw");
    let cpus: Vec<_> =
        config.tiers.values().map(|t| (t.cpu_millis, t.memory_bytes >> 30)).collect();
    assert_eq!(cpus, [(1000, 2), (2000, 3), (4000, 4)]);
    assert_eq!(config.models.providers[0].base_url, "https://api.anthropic.com");
}

#[test]
fn limits_are_data_down_to_the_frame() {
    let text = "[limits]\nframes = { rate = \"none\" }\n[limits.wire]\nstreams = 10\nresets = 5\n\
                mistakes = 6\nheaders = 50\nhead = \"16KiB\"\nhead_time = \"5s\"\n\
                frame = \"1MiB\"\nflow = { rate = \"1MiB/s\", burst = \"2MiB\" }\n";
    let config = load(text, &Env::default()).unwrap();
    let wire = &config.limits.wire;
    assert_eq!((wire.streams, wire.resets, wire.mistakes, wire.headers), (10, 5, 6, 50));
    assert_eq!((wire.head, wire.head_time), (16 << 10, Duration::from_secs(5)));
    assert_eq!((wire.frame, wire.frames), (1 << 20, None));
    let flow = Rate::new(1 << 20, Duration::from_secs(1), 2 << 20);
    assert_eq!(wire.flow, Some(flow));
    // What is not said is as the edge would have it by itself.
    let (usual, edge) = (load("", &Env::default()).unwrap().limits, EdgeLimits::default());
    let wire = usual.wire;
    assert_eq!((usual.connections, usual.per_client), (edge.connections, edge.per_client));
    assert_eq!(
        (wire.streams, wire.resets, wire.mistakes),
        (edge.streams, edge.resets, edge.mistakes)
    );
    assert_eq!(
        (wire.headers, wire.head, wire.head_time),
        (edge.headers, edge.head_bytes, edge.head_time)
    );
    assert_eq!(
        (wire.frame, wire.frames, wire.flow),
        (edge.frame_bytes, edge.frames, edge.frame_flow)
    );
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    let error =
        load("[http]\nlisten = \"127.0.0.1:1\"\n\n[sleep]\nafterr = \"1h\"\n", &Env::default())
            .unwrap_err();
    assert_eq!(error.to_string(), "/data/smartbox.toml:5: there is no key `afterr`");
    assert_eq!(error.hint(), "did you mean `after`?");
    let error = load("[htttp]\nlisten = 1", &Env::default()).unwrap_err();
    assert_eq!(error.hint(), "did you mean `http`?");
    let error = load("[tiers.standard-1]\ncolour = 1", &Env::default()).unwrap_err();
    assert_eq!(error.hint(), "the keys here are: cpu, memory, pids, disk");
}

#[test]
fn a_value_that_makes_no_sense_is_named_with_its_line_if_it_stands_in_the_file() {
    let said = |text: &str, env: &Env| load(text, env).unwrap_err().to_string();
    let none = Env::default();
    let text = "[http]\nlisten = \"127.0.0.1:1\"\n\n[sleep]\nafter = \"10 bananas\"\n";
    let words = said(text, &none);
    assert!(words.starts_with("/data/smartbox.toml:5: sleep.after: "), "{words}");
    let words = said("\nsleep.after = \"soon\"", &none);
    assert!(words.starts_with("/data/smartbox.toml:2: sleep.after: "), "{words}");
    // The file is not at fault where something else says it.
    let env = Env::of([("SANDBOX_SLEEP_AFTER", "soon")]);
    assert!(said("[sleep]\nafter = \"10m\"", &env).starts_with("SANDBOX_SLEEP_AFTER: "));
    let over = Overrides { listen: Some("banana".into()), ..Overrides::default() };
    let error = Config::from_text(Path::new("/data"), text, &none, &over).unwrap_err();
    assert_eq!(error.to_string(), "--listen: `banana` is not an address and port");
    assert!(error.is_option() && !load(text, &none).unwrap_err().is_option());
}

/// A provider of whom a line is changed, or added.
fn oidc(line: &str) -> String {
    let issuer = if line.starts_with("issuer") { "" } else { "issuer = \"https://id.example\"\n" };
    format!("[sign_in.oidc]\n{line}\n{issuer}client_id = \"x\"\n")
}

fn grant(lines: &str) -> String {
    format!("[[sign_in.grants]]\n{lines}\n")
}

/// Refuses a text, with its place and what to write, and quotes no secret.
fn told(text: &str, place: &str, hint: &str) {
    let error = load(text, &Env::default()).unwrap_err();
    let said = format!("{error} / {}", error.hint());
    assert!(said.contains(place) && !said.contains("sk-abc"), "{text}: {said}");
    assert!(hint == "did you mean" || said.contains(hint), "{text}: {said}");
}

#[test]
fn mistakes_in_sign_in_say_what_to_write() {
    for (text, place, hint) in [
        ("[sign_in]\noidcc = 1", "smartbox.toml:2", "did you mean"),
        ("[sign_in.access]\nteam = \"x\"", "smartbox.toml:2", "did you mean"),
        ("[sign_in.oidc]\nclient_id = \"x\"", "sign_in.oidc.issuer", "https://id.example.com"),
        (&oidc("issuer = \"http://id.example\""), "sign_in.oidc.issuer", "exactly as"),
        (&oidc("client_secret = \"sk-abc\""), "smartbox.toml:2", "did you mean"),
        (&oidc("auth = \"jwt\""), "sign_in.oidc.auth", "leave it out"),
        (&oidc("auth = \"basic\""), "sign_in.oidc.client_secret", "SMARTBOX_OIDC_CLIENT_SECRET"),
        (&oidc("scopes = [\"email profile\"]"), "sign_in.oidc.scopes", "write a list"),
        (&oidc("groups_claim = \"\""), "sign_in.oidc.groups_claim", "leave it out"),
        (&oidc("name = \"\""), "sign_in.oidc.name", "button"),
        (&grant("role = \"owner\""), "sign_in.grants, number 1", "one of `email`"),
        (&grant("email = \"a@b.c\"\ngroup = \"x\""), "number 1", "one of `email`"),
        (&grant("email = \"ada\"\noperator = \"own\""), "number 1", "one of `email`"),
        (&grant("email_domain = \"com\"\noperator = \"own\""), "number 1", "one of `email`"),
        (&grant("email_domain = \"*.b.c\"\noperator = \"own\""), "number 1", "one of `email`"),
        (&grant("group = \"x\"\naccount = \"me\""), "number 1", "`account` and `role`"),
        (&grant("group = \"x\"\naccount = \"me\"\nrole = \"boss\""), "`boss`", "owner, member"),
        (&grant("group = \"x\"\noperator = \"chat\""), "number 1", "`operator`"),
        (&grant("group = \"x\"\nby = \"oidc\"\noperator = \"own\""), "number 1", "set up"),
        (&grant("group = \"x\"\nby = \"me\"\noperator = \"own\""), "number 1", "set up"),
    ] {
        told(text, place, hint);
    }
}

#[test]
fn bad_values_say_what_to_write() {
    let with_key = "[[models.providers]]\nname = \"x\"\nprotocol = \"openai\"\n\
                    base_url = \"https://x.example\"\nsecret = \"sk-abc\""
        .to_owned();
    for (text, place, hint) in [
        ("listen = 5", "smartbox.toml:1", "did you mean"),
        ("[http]\nlisten = \"nowhere\"", "http.listen", "127.0.0.1:7777"),
        ("[http]\nurl = \"https://a.b/c\"", "http.url", "nothing after the host"),
        ("[http]\nurl = \"https://10.0.0.1\"", "http.url", "https://smartbox.example.com"),
        ("[http]\ntrusted_proxies = [\"proxy\"]", "http.trusted_proxies", "10.0.0.0/8"),
        ("[http]\ntrusted_proxies = [\"0.0.0.0/0\"]", "http.trusted_proxies", "10.0.0.0/8"),
        ("[http.tls]\ncertificate = \"/c\"", "http.tls.key", "both files"),
        (
            "[http.tls]\ncertificate = \"/c\"\nkey = \"/k\"",
            "http.url",
            "https://smartbox.example.com",
        ),
        (
            "[http]\nurl = \"https://a.b\"\n[http.tls]\ncertificate = \"c\"\nkey = \"/k\"",
            "http.tls.certificate",
            "beginning with /",
        ),
        ("[limits]\nknock = { rate = \"5/day\" }", "limits.knock", "20/s"),
        ("[limits]\npatience = { first = \"soon\" }", "limits.patience.first", "15m"),
        ("[limits.wire]\nresets = 0", "limits.wire.resets", "1, or more"),
        ("[limits.wire]\nstreams = 0", "limits.wire.streams", "1, or more"),
        ("[limits.wire]\nhead = \"1KiB\"", "limits.wire.head", "8KiB"),
        ("[limits.wire]\nhead = \"big\"", "limits.wire.head", "64KiB"),
        ("[limits.wire]\nhead_time = \"10ms\"", "limits.wire.head_time", "30s"),
        ("[limits.wire]\nframe = \"0\"", "limits.wire.frame", "32MiB"),
        ("[limits.wire]\nframe = \"65MiB\"", "limits.wire.flow", "limits.wire.frame"),
        ("[limits.wire]\nflow = { rate = \"8MB\" }", "limits.wire.flow", "8MiB/s"),
        ("[limits]\nresets = 5", "smartbox.toml:2", ""),
        ("[sleep]\nafter = \"soon\"", "sleep.after", "10m"),
        ("[sleep]\nafter = 10", "smartbox.toml:2", "correct that line"),
        ("[egress]\nallow = [\"https://a.b\"]", "egress.allow", "api.example.com"),
        ("[egress]\nallow = [\"localhost:443\"]", "egress.allow", "registries"),
        ("[egress]\nprivate = [\"10.0.0\"]", "egress.private", "10.1.0.0/16:443"),
        ("[egress]\nout_per_day = \"2 GB\"", "egress.out_per_day", "2GiB"),
        ("[egress]\nin_per_day = \"much\"", "egress.in_per_day", "no limit"),
        ("[egress]\nper_minute = -1", "smartbox.toml:2", "correct that line"),
        ("[jobs]\nkeep = \"10ms\"", "jobs.keep", "24h"),
        ("[devices]\nbrowsers = \"never\"", "devices.browsers", "`ask`"),
        ("[vault]\nmaster = \"disk\"", "vault.master", "`file`, `env` or `keyring`"),
        ("[vault]\nmaster = \"env\"", "vault.master", "openssl rand"),
        ("[metrics]\nlisten = \"0.0.0.0:9464\"", "metrics.listen", "127.0.0.1"),
        ("[metrics]\nlisten = \"here\"", "metrics.listen", "127.0.0.1"),
        ("[traces]\nendpoint = \"collector:4318\"", "traces.endpoint", "http://127.0.0.1:4318"),
        (
            "[traces]\nendpoint = \"http://u:sk-abc@x\"",
            "traces.endpoint",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ),
        ("[boxes]\ntier = \"standart-1\"", "boxes.tier", "did you mean `standard-1`?"),
        ("[tiers.big]\nmemory = \"much\"", "tiers.big.memory", "2GiB"),
        ("[tiers.big]\ncpu = -1.0", "tiers.big.cpu", "between"),
        ("[engine]\npath = \"puppet\"", "engine.path", "beginning with /"),
        ("[models]\npreferred = \"gpt\"", "models.preferred", "anthropic, openai"),
        ("[[models.providers]]\nname = \"x\"\nbasis = \"y\"", "smartbox.toml:3", "did you mean"),
        (&with_key, "models.providers, `x`, secret", "never the secret itself"),
        ("[http\n", "smartbox.toml:1", "correct that line"),
    ] {
        told(text, place, hint);
    }
}

#[test]
fn bad_values_of_snapshots_say_what_to_write() {
    for (text, place, hint) in [
        ("[snapshots]\ndirectory = \"kept\"", "snapshots.directory", "beginning with /"),
        ("[snapshots]\nendpoint = \"s3\"", "snapshots.endpoint", "https://s3.example.com"),
        (
            "[snapshots]\nendpoint = \"https://u:sk-abc@s3.example.com\"",
            "snapshots.endpoint",
            "without keys",
        ),
        ("[snapshots]\nbucket = \"My Bucket\"", "snapshots.bucket", "3 to 63"),
        ("[snapshots]\nprefix = \"a/../b\"", "snapshots.prefix", "team/smartbox"),
        ("[snapshots]\njurisdiction = \"mars\"", "smartbox.toml:2", "correct that line"),
        (
            "[snapshots]\njurisdiction = \"eu\"\nendpoint = \"https://s3.example.com\"",
            "snapshots.jurisdiction",
            "leave out one",
        ),
        ("[snapshots]\nobjective = \"soon\"", "snapshots.objective", "60s"),
        ("[snapshots]\nobjective = \"5ms\"", "snapshots.objective", "60s"),
        ("[snapshots]\ntombstones = \"x\"", "snapshots.tombstones", "30d"),
        ("[snapshots]\nbandwidth = \"fast\"", "snapshots.bandwidth", "10MiB"),
        ("[snapshots]\nkeep = { yearly = 1 }", "smartbox.toml:2", "did you mean"),
    ] {
        told(text, place, hint);
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_command_line_over_both() {
    let env = Env::of([
        ("SMARTBOX_LISTEN", "127.0.0.1:2"),
        ("SANDBOX_SLEEP_AFTER", "10m"),
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/"),
    ]);
    let text = "[http]\nlisten = \"127.0.0.1:1\"\n[sleep]\nafter = \"never\"";
    let config = load(text, &env).unwrap();
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!(config.sleep.after, Some(Duration::from_secs(600)));
    assert_eq!(config.sleep.desired(), Desired::Auto);
    assert_eq!(config.models.providers[0].base_url, "http://127.0.0.1:9/");
    let over = Overrides { listen: Some("127.0.0.1:3".into()), ..Overrides::default() };
    let config = Config::from_text(Path::new("/data"), text, &env, &over).unwrap();
    assert_eq!(config.http.listen.port(), 3);
}

#[test]
fn a_tier_may_be_changed_in_part_and_added() {
    let text = "[tiers.standard-1]\nmemory = \"6GiB\"\n[tiers.tiny]\ncpu = 0.5";
    let config = load(text, &Env::default()).unwrap();
    assert_eq!(config.tiers["standard-1"].memory_bytes, 6 << 30);
    assert_eq!(config.tiers["standard-1"].cpu_millis, 1000);
    assert_eq!(config.tiers["tiny"].cpu_millis, 500);
    assert_eq!(config.tiers["tiny"].memory_bytes, 0);
}

#[test]
fn secrets_come_from_the_environment_or_a_file_and_do_not_print() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "sk-from-file\n").unwrap();
    let env = Env::of([
        ("ANTHROPIC_API_KEY_FILE", file.to_str().unwrap()),
        ("OPENAI_API_KEY", "sk-from-env"),
        ("MOLTBOT_GATEWAY_MASTER_TOKEN", "0123456789abcdef0123"),
    ]);
    let config = load("", &env).unwrap();
    assert_eq!(config.given.keys["ANTHROPIC_API_KEY"].expose(), "sk-from-file");
    assert_eq!(config.given.keys["OPENAI_API_KEY"].expose(), "sk-from-env");
    let shown = format!("{config:?} {env:?}");
    for secret in ["sk-from-file", "sk-from-env", "0123456789abcdef0123"] {
        assert!(!shown.contains(secret));
    }
    let gone = Env::of([("ANTHROPIC_API_KEY_FILE", "/nowhere/at/all")]);
    assert!(matches!(load("", &gone), Err(ConfigError::SecretFile { .. })));
    let weak = Env::of([("MOLTBOT_GATEWAY_MASTER_TOKEN", "hunter2")]);
    assert!(load("", &weak).unwrap_err().hint().contains("openssl rand"));
}

#[test]
fn server_and_client_find_the_same_data_directory() {
    let env = Env::of([("SMARTBOX_DATA_DIR", "/srv/sb"), ("HOME", "/home/ann")]);
    assert_eq!(place::data_dir(None, &env).unwrap(), Path::new("/srv/sb"));
    let explicit = place::data_dir(Some(Path::new("/else")), &env).unwrap();
    assert_eq!(explicit, Path::new("/else"));
    assert_eq!(place::socket(&explicit), Path::new("/else/control.sock"));
    assert!(place::data_dir(Some(Path::new("rel")), &env).unwrap().is_absolute());
}

#[test]
fn a_secret_given_twice_is_refused_and_neither_is_shown() {
    for name in ["ANTHROPIC_API_KEY", "MOLTBOT_GATEWAY_MASTER_TOKEN"] {
        let file = format!("{name}_FILE");
        let env =
            Env::of([(name, "0123456789abcdef-canary"), (file.as_str(), "/nowhere/canary-file")]);
        let error = load("", &env).unwrap_err();
        let said = format!("{error} / {} / {error:?}", error.hint());
        assert!(said.contains(&file) && said.contains("unset one of the two"), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

#[test]
fn a_gateway_takes_the_place_of_the_provider_whose_protocol_it_speaks() {
    let own = [("ANTHROPIC_API_KEY", "sk-own"), ("ANTHROPIC_BASE_URL", "http://own.example")];
    for (url, provider, base, key) in [
        (
            "https://g.example/v1/a/b/openai/",
            1,
            "https://g.example/v1/a/b/openai",
            "OPENAI_API_KEY",
        ),
        (
            "https://g.example/v1/a/b/anthropic",
            0,
            "https://g.example/v1/a/b/anthropic/v1",
            "ANTHROPIC_API_KEY",
        ),
    ] {
        let env =
            Env::of([own[0], own[1], ("AI_GATEWAY_API_KEY", "sk-g"), ("AI_GATEWAY_BASE_URL", url)]);
        let config = load("", &env).unwrap();
        assert_eq!(config.models.providers[provider].base_url, base);
        assert_eq!(config.given.keys[key].expose(), "sk-g");
        // The other one keeps what is its own.
        if provider == 1 {
            assert_eq!(config.models.providers[0].base_url, "http://own.example");
            assert_eq!(config.given.keys["ANTHROPIC_API_KEY"].expose(), "sk-own");
        }
    }
    for half in [("AI_GATEWAY_API_KEY", "sk-half"), ("AI_GATEWAY_BASE_URL", "https://g.example")] {
        let error = load("", &Env::of([half])).unwrap_err();
        let said = format!("{error} / {}", error.hint());
        assert!(said.contains("means nothing without") && !said.contains("sk-half"), "{said}");
    }
}

#[test]
fn what_is_still_to_come_is_said_and_what_is_set_is_not() {
    let env = Env::of([
        ("TELEGRAM_BOT_TOKEN", "canary-1"),
        ("CDP_SECRET_FILE", "/canary-2"),
        ("MOLTBOT_GATEWAY_TOKEN", "canary-3"),
        ("SLACK_APP_TOKEN", ""),
    ]);
    let notes = load("", &env).unwrap().notes.join("\n");
    for name in ["TELEGRAM_BOT_TOKEN is understood and not used yet", "CDP_SECRET", "MASTER_TOKEN"]
    {
        assert!(notes.contains(name), "{notes}");
    }
    assert!(!notes.contains("canary") && !notes.contains("SLACK"), "{notes}");
    assert!(load("", &Env::default()).unwrap().notes.is_empty());
}

#[test]
fn traces_go_where_opentelemetrys_own_variables_say() {
    let file = "[traces]\nendpoint = \"http://file:4318/\"";
    let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://base.example/otlp");
    let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://whole:1/x");
    let to = |text: &str, env: &Env| load(text, env).unwrap().traces.endpoint;
    assert_eq!(to("", &Env::default()), None, "off unless somebody says so");
    assert_eq!(to(file, &Env::default()).as_deref(), Some("http://file:4318/v1/traces"));
    let by_base = to(file, &Env::of([base]));
    assert_eq!(by_base.as_deref(), Some("https://base.example/otlp/v1/traces"));
    assert_eq!(to(file, &Env::of([base, whole])).as_deref(), Some("http://whole:1/x"));
}

#[test]
fn every_setting_says_who_says_it_and_no_secret() {
    let env = Env::of([
        ("SANDBOX_SLEEP_AFTER", "10m"),
        ("OPENAI_API_KEY", "sk-canary"),
        ("ANTHROPIC_BASE_URL", "http://user:sk-canary@own.example"),
        ("MOLTBOT_GATEWAY_MASTER_TOKEN", "sk-canary-0123456789"),
    ]);
    let text = "# mine\n[http]\nlisten = \"127.0.0.1:1\"\n[sleep]\nafter = \"never\"\n\
                stop_after = \"2d\"\n[tiers]\ntiny.cpu = 0.5\n[[models.providers]]\n\
                name = \"x\"\nprotocol = \"openai\"\nbase_url = \"https://x.example\"\n\
                [egress]\nper_minute = 0\nin_per_day = \"300 MiB\"\n";
    let over = Overrides { listen: Some("127.0.0.1:3".into()), data_dir: true };
    let config = Config::from_text(Path::new("/data"), text, &env, &over).unwrap();
    let all = settings(&config, text, &env, &over).unwrap();
    let find = |key: &str| {
        let found = all.iter().find(|setting| setting.key == key);
        found.map(|setting| (setting.value.as_str(), setting.source.to_string())).unwrap()
    };
    for (key, value, source) in [
        ("data_dir", "/data", "--data-dir"),
        ("http.listen", "127.0.0.1:3", "--listen"),
        ("sleep.after", "10m", "SANDBOX_SLEEP_AFTER"),
        ("sleep.stop_after", "2d", "smartbox.toml:6"),
        ("sleep.page_out", "true", "default"),
        ("egress.allow", "none", "default"),
        ("egress.per_minute", "no limit", "smartbox.toml:14"),
        ("egress.out_per_day", "2GiB", "default"),
        ("egress.in_per_day", "300MiB", "smartbox.toml:15"),
        ("tiers.tiny.cpu", "0.5", "smartbox.toml:8"),
        ("models.providers.x.base_url", "https://x.example", "smartbox.toml:12"),
        ("models.providers.anthropic.base_url", "http://…@own.example", "ANTHROPIC_BASE_URL"),
        ("secret OPENAI_API_KEY", "given", "OPENAI_API_KEY"),
        ("secret ANTHROPIC_API_KEY", "not given", "default"),
        ("secret MOLTBOT_GATEWAY_MASTER_TOKEN", "given", "MOLTBOT_GATEWAY_MASTER_TOKEN"),
    ] {
        assert_eq!(find(key), (value, source.to_owned()), "{key}");
    }
    assert!(!format!("{all:?}").contains("canary"));
    assert!(all.iter().any(|setting| setting.source == Source::Default));
}

#[test]
fn dev_mode_is_for_this_machine_alone_and_said_aloud() {
    let dev = |listen: &str, text: &str| {
        load(text, &Env::of([("DEV_MODE", "true"), ("SMARTBOX_LISTEN", listen)]))
    };
    for listen in ["127.0.0.1:7777", "[::1]:7777", "7777"] {
        let config = dev(listen, "").unwrap();
        assert!(config.dev && config.notes[0].starts_with("WARNING: DEV_MODE"), "{listen}");
    }
    for (listen, text) in [
        ("0.0.0.0:7777", ""),
        ("[::]:7777", ""),
        ("10.0.0.1:7777", ""),
        ("127.0.0.1:7777", "[http]\nurl = \"https://smartbox.example.com\""),
    ] {
        let error = dev(listen, text).unwrap_err();
        assert!(error.to_string().starts_with("DEV_MODE: nobody would need a token"), "{error}");
        assert!(error.hint().contains("unset DEV_MODE"));
    }
    assert!(!load("", &Env::of([("DEV_MODE", "false")])).unwrap().dev);
    assert!(load("", &Env::of([("DEV_MODE", "yes")])).is_err());
    assert!(!load("", &Env::default()).unwrap().dev);
}

mod snapshots {
    use std::collections::BTreeMap;

    use smartbox_core::secret::Secret;
    use smartbox_server::config::snapshots::{ACCOUNT, KEY_ID, SECRET_KEY, SECRETS, Storage};

    use super::*;

    const VALUES: [&str; 3] = ["canary-id", "canary-key", "0123abcd0123abcd0123abcd0123abcd"];

    /// The environment gives these, by their place among the three.
    fn given(which: &[usize]) -> Env {
        let of = |n: usize| match which.contains(&n) {
            true => (SECRETS[n], VALUES[n]),
            false => ("UNUSED", ""),
        };
        Env::of([of(0), of(1), of(2)])
    }

    fn kept(which: &[usize]) -> BTreeMap<String, Secret<String>> {
        let one = |n: &usize| (SECRETS[*n].to_owned(), Secret::new(format!("kept-{}", VALUES[*n])));
        which.iter().map(one).collect()
    }

    fn place(text: &str, env: &Env, vault: &[usize]) -> Result<Storage, ConfigError> {
        load(text, env).unwrap().snapshots.place(&kept(vault))
    }

    #[test]
    fn without_keys_they_go_to_a_directory() {
        let storage = place("", &given(&[]), &[]).unwrap();
        assert_eq!(storage.objective(), Duration::from_secs(60));
        let Storage::Directory(path) = storage else { panic!("{storage:?}") };
        assert_eq!(path, Path::new("/data/snapshots"));
        let text = "[snapshots]\ndirectory = \"/mnt/kept\"";
        let Ok(Storage::Directory(path)) = place(text, &given(&[]), &[]) else { panic!() };
        assert_eq!(path, Path::new("/mnt/kept"));
        let config = load("", &Env::default()).unwrap().snapshots;
        assert_eq!((config.keep.last, config.keep.monthly), (10, 12));
        assert_eq!(config.tombstones, Duration::from_secs(30 * 86_400));
    }

    #[test]
    fn one_or_two_of_the_three_are_an_error_that_names_what_is_missing() {
        for there in [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2]] {
            // By the environment, by the vault, or by both together.
            for split in 0..=there.len() {
                let (env, vault) = there.split_at(split);
                let error = place("", &given(env), vault).unwrap_err();
                let said = format!("{error} / {} / {error:?}", error.hint());
                for (n, name) in SECRETS.iter().enumerate().filter(|(n, _)| !there.contains(n)) {
                    assert!(error.to_string().contains(name), "{n} of {there:?}: {said}");
                }
                assert!(VALUES.iter().all(|value| !said.contains(value)), "{said}");
                // Whoever keeps it in the vault is told how to get it out of there.
                let by_vault = env.is_empty();
                assert_eq!(said.contains("secret rm"), by_vault, "{said}");
            }
        }
    }

    #[test]
    fn all_three_are_a_bucket_at_cloudflare() {
        for (text, host) in [
            ("", "0123abcd0123abcd0123abcd0123abcd.r2.cloudflarestorage.com"),
            (
                "[snapshots]\njurisdiction = \"eu\"",
                "0123abcd0123abcd0123abcd0123abcd.eu.r2.cloudflarestorage.com",
            ),
            (
                "[snapshots]\njurisdiction = \"fedramp\"",
                "0123abcd0123abcd0123abcd0123abcd.fedramp.r2.cloudflarestorage.com",
            ),
        ] {
            let storage = place(text, &given(&[0, 1, 2]), &[]).unwrap();
            assert_eq!(storage.objective(), Duration::from_secs(300));
            assert!(!format!("{storage:?}").contains("canary"), "{storage:?}");
            let Storage::Bucket { endpoint, key_id, .. } = storage else { panic!() };
            assert_eq!(endpoint, format!("https://{host}"));
            assert_eq!(key_id.expose(), "canary-id");
        }
        // What is kept stands behind the environment, and fills in what that does not give.
        let storage = place("", &given(&[0, 1, 2]), &[0]).unwrap();
        let Storage::Bucket { key_id, .. } = storage else { panic!() };
        assert_eq!(key_id.expose(), "canary-id");
        let storage = place("", &given(&[1]), &[0, 1, 2]);
        let Ok(Storage::Bucket { key_id, secret, .. }) = storage else { panic!("{storage:?}") };
        assert_eq!(
            (key_id.expose().as_str(), secret.expose().as_str()),
            ("kept-canary-id", "canary-key")
        );
        let config = load("", &Env::of([("R2_BUCKET_NAME", "mine")])).unwrap();
        assert_eq!(config.snapshots.bucket, "mine");
        assert_eq!(load("", &Env::default()).unwrap().snapshots.bucket, "moltbot-data");
    }

    #[test]
    fn another_server_needs_no_account_and_both_keys() {
        let text = "[snapshots]\nendpoint = \"https://s3.example.com/\"";
        let Ok(Storage::Bucket { endpoint, .. }) = place(text, &given(&[0, 1]), &[]) else {
            panic!()
        };
        assert_eq!(endpoint, "https://s3.example.com");
        let error = place(text, &given(&[]), &[]).unwrap_err().to_string();
        assert!(error.contains("snapshots.endpoint") && error.contains(KEY_ID), "{error}");
        assert!(error.contains(SECRET_KEY) && !error.contains(ACCOUNT), "{error}");
        let error = place(text, &given(&[0]), &[]).unwrap_err().to_string();
        assert!(error.contains(SECRET_KEY), "{error}");
    }

    #[test]
    fn an_account_that_is_none_does_not_become_an_address() {
        for bad in ["evil.example.com/", "a.b", "a b", "x@y"] {
            let env = Env::of([(KEY_ID, "canary-id"), (SECRET_KEY, "canary-key"), (ACCOUNT, bad)]);
            let error = place("", &env, &[]).unwrap_err();
            let said = format!("{error} / {}", error.hint());
            assert!(said.contains(ACCOUNT) && !said.contains(bad), "{said}");
        }
    }
}

#[test]
fn the_vault_has_one_key_and_never_prints_it() {
    use smartbox_server::config::vault::{MASTER_KEY, Master, OLD_MASTER_KEY};
    let key = "11".repeat(32);
    assert!(matches!(load("", &Env::default()).unwrap().vault, Master::File));
    let env = Env::of([(MASTER_KEY, &key), (OLD_MASTER_KEY, "old")]);
    for text in ["", "[vault]\nmaster = \"env\""] {
        let config = load(text, &env).unwrap();
        assert!(matches!(config.vault, Master::Given(_, Some(_))));
        assert!(!format!("{config:?}").contains(&key));
    }
    let keyring = load("[vault]\nmaster = \"keyring\"", &Env::default()).unwrap();
    assert!(matches!(keyring.vault, Master::Keyring));
    for word in ["file", "keyring"] {
        let two = load(&format!("[vault]\nmaster = \"{word}\""), &env).unwrap_err();
        assert!(two.to_string().contains(MASTER_KEY), "{two}");
    }
}

#[test]
fn access_is_by_the_originals_variables_or_the_file_and_a_mistake_in_it_is_only_told() {
    let aud = "32eafc7626e737616deaf0dc3ce63d7bcbed58a2731d0d06bc3cdf1b53c4228";
    let both = Env::of([
        ("CF_ACCESS_TEAM_DOMAIN", "https://MyTeam.cloudflareaccess.com/"),
        ("CF_ACCESS_AUD", aud),
    ]);
    let text = format!("[sign_in.access]\nteam_domain = \"myteam\"\naud = \"{aud}\"\n");
    for config in [load("", &both), load(&text, &Env::default())] {
        let config = config.unwrap();
        assert!(matches!(config.sign_in.access, AccessChoice::On(_)));
        assert!(config.notes.iter().any(|note| note.contains("`[[sign_in.grants]]`")));
    }
    let aud_only = "[sign_in.access]\naud = \"x\"\n";
    for (text, env, words) in [
        (aud_only, Env::default(), ["sign_in.access.aud is set", "CF_ACCESS_TEAM_DOMAIN"]),
        ("", Env::of([("CF_ACCESS_AUD", "x")]), ["CF_ACCESS_AUD is set", "CF_ACCESS_TEAM_DOMAIN"]),
        (
            aud_only,
            Env::of([("CF_ACCESS_TEAM_DOMAIN", "team.example.com")]),
            ["CF_ACCESS_TEAM_DOMAIN is not a team", "myteam.cloudflareaccess.com"],
        ),
        (
            "",
            Env::of([("CF_ACCESS_TEAM_DOMAIN", "myteam"), ("CF_ACCESS_AUD", "\"quoted\"")]),
            ["CF_ACCESS_AUD is not an audience tag", "64 hexadecimal"],
        ),
    ] {
        let config = load(text, &env).unwrap();
        assert!(matches!(config.sign_in.access, AccessChoice::Wrong { .. }));
        let told = config.notes.join(" ");
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
}

#[test]
fn grants_are_read_with_whose_word_counts() {
    let text = "[sign_in.oidc]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n\
                [[sign_in.grants]]\nemail_domain = \"@example.com\"\naccount = \"me\"\n\
                role = \"viewer\"\n\
                [[sign_in.grants]]\nby = \"oidc\"\ngroup = \"ops\"\noperator = \"manage\"\n";
    let env = Env::of([("SMARTBOX_OIDC_CLIENT_SECRET", "sk-abc")]);
    let config = load(text, &env).unwrap();
    let rules = &config.sign_in.rules;
    assert_eq!(rules[0].whom, Whom::Domain("example.com".into()));
    assert_eq!(rules[0].gives, Gives::Role("me".into(), Role::Viewer));
    assert_eq!(rules[1].issuer.as_deref(), Some("https://id.example"));
    assert_eq!(rules[1].gives, Gives::Operator(Right::Manage));
    let oidc = config.sign_in.oidc.as_ref().unwrap();
    assert_eq!(oidc.settings.scopes, ["email", "profile"]);
    assert!(!format!("{config:?}").contains("sk-abc"));
    let shown = settings(&config, text, &env, &Overrides::default()).unwrap();
    let shown = format!("{shown:?}");
    assert!(shown.contains("sign_in.oidc.issuer") && !shown.contains("sk-abc"), "{shown}");
}
