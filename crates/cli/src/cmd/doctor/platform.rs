//! The platform, if one runs: is it there, does it run boxes, has it a model.

use std::net::{SocketAddr, TcpListener};

use smartbox_api::call;
use smartbox_api::platform::PlatformStatus;
use smartbox_api::secret::SecretQuery;
use smartbox_api::smartbox::{SmartboxView, State};
use smartbox_api::vault::VaultView;
use smartbox_core::sandbox::Capabilities;
use smartbox_server::config::snapshots::SECRETS;
use smartbox_server::config::{Config, Env};

use super::check::Check;
use crate::client::{Client, Place, Reach};
use crate::error::CliError;

/// Whether another machine is meant, of which this one can tell nothing.
pub(super) fn is_elsewhere(place: &Place, env: &Env) -> bool {
    Client::of(place, env).is_ok_and(|client| matches!(client.reach(), Reach::Tcp { .. }))
}

pub(super) async fn checks(place: &Place, env: &Env, config: Option<&Config>) -> Vec<Check> {
    let client = match Client::of(place, env) {
        Ok(client) => client,
        Err(error) => return vec![Check::fail("platform", error.to_string(), error.hint())],
    };
    let status = client.json(call::status()).await;
    let mut checks = vec![reachable(&client, &status)];
    let running = status.as_ref().ok();
    if let (Some(config), Reach::Socket(_)) = (config, client.reach()) {
        checks.push(port(config.http.listen, running));
    }
    checks.push(model_key(running, config));
    if let Some(status) = running {
        checks.push(runtime(status));
        if let Ok(boxes) = client.all(call::boxes).await {
            checks.push(health(&boxes));
        }
        // Whoever is no operator is not told, and needs not be.
        if let Ok(keys) = client.json(call::vault()).await {
            checks.push(vault(&keys));
        }
    }
    checks
}

/// Whether a platform that runs keeps keys to a bucket for snapshots; its vault is not opened for it.
pub(super) async fn keeps_storage(place: &Place, env: &Env) -> bool {
    let Ok(client) = Client::of(place, env) else { return false };
    let of = SecretQuery { smartbox: None, platform: true };
    let kept = client.all(|page| call::secrets(&of, page)).await.unwrap_or_default();
    kept.iter().any(|one| SECRETS.contains(&one.name.as_str()))
}

fn vault(keys: &VaultView) -> Check {
    const NAME: &str = "vault";
    if keys.left > 0 {
        let what =
            "a change of the data key was cut off: some secrets are under the older key still";
        return Check::warn(NAME, what, "smartbox vault rotate --data goes on with it");
    }
    Check::ok(NAME, format!("master key {} ({})", keys.master, keys.kept_in))
}

fn reachable(client: &Client, status: &Result<PlatformStatus, CliError>) -> Check {
    const NAME: &str = "platform";
    match status {
        Ok(status) if status.version == env!("CARGO_PKG_VERSION") => {
            Check::ok(NAME, format!("it runs: {}, process {}", status.url, status.pid))
        }
        Ok(status) => {
            let own = env!("CARGO_PKG_VERSION");
            let what = format!("it runs as version {}, and this command is {own}", status.version);
            Check::warn(NAME, what, "start it again with `smartbox up`; smartboxes go on meanwhile")
        }
        Err(error @ CliError::Unreachable { .. }) => {
            let what = format!("none is running on {}", client.reach());
            Check::warn(NAME, what, error.hint())
        }
        Err(error) => Check::fail(NAME, error.to_string(), error.hint()),
    }
}

fn port(listen: SocketAddr, running: Option<&PlatformStatus>) -> Check {
    const NAME: &str = "port";
    if let Some(status) = running {
        return Check::ok(NAME, format!("the platform answers at {}", status.url));
    }
    // Looking by listening for a moment: nothing connects to it, and it is free again at once.
    match TcpListener::bind(listen) {
        Ok(_) => Check::ok(NAME, format!("{listen} is free")),
        Err(error) => {
            let hint = "end the program that has it, or choose another: --listen 127.0.0.1:7778";
            Check::fail(NAME, format!("{listen} cannot be used: {error}"), hint)
        }
    }
}

fn model_key(running: Option<&PlatformStatus>, config: Option<&Config>) -> Check {
    const NAME: &str = "model key";
    let hint = "smartbox secret set ANTHROPIC_API_KEY";
    let demo = "answers come from the built-in demo model";
    match (running, config) {
        (Some(status), _) => {
            let real: Vec<&str> =
                status.models.iter().map(String::as_str).filter(|name| *name != "demo").collect();
            if real.is_empty() {
                return Check::warn(NAME, format!("there is none; {demo}"), hint);
            }
            Check::ok(NAME, format!("there is one for {}", real.join(", ")))
        }
        (None, Some(config)) if !config.given.keys.is_empty() => {
            let names: Vec<&str> = config.given.keys.keys().map(String::as_str).collect();
            Check::ok(NAME, format!("{} is in the environment", names.join(", ")))
        }
        (None, _) => {
            let what = format!("none is in the environment; unless `up` has one, {demo}");
            Check::warn(NAME, what, format!("once `smartbox up` runs: {hint}"))
        }
    }
}

/// What the platform found when it started; this command may run as another user.
fn runtime(status: &PlatformStatus) -> Check {
    const NAME: &str = "sandboxes";
    let runtime = &status.runtime;
    let what = format!("driver {}, profile {}", runtime.driver, runtime.profile);
    match runtime.profile.as_str() {
        Capabilities::UNISOLATED => Check::fail(
            NAME,
            format!("{what}: smartboxes run without any isolation. {}", without(runtime)),
            "start `smartbox up` without --insecure-no-sandbox",
        ),
        _ => Check::ok(NAME, what),
    }
}

/// What does not hold, with the words of the runtime.
fn without(runtime: &Capabilities) -> String {
    let off = runtime.features.iter().filter(|(_, feature)| !feature.on);
    let off: Vec<String> = off.map(|(name, feature)| format!("{name}: {}", feature.note)).collect();
    off.join("; ")
}

fn health(boxes: &[SmartboxView]) -> Check {
    const NAME: &str = "smartboxes";
    let failed: Vec<String> = boxes
        .iter()
        .filter(|view| view.state == State::Failed)
        .map(|view| {
            let why = view.failure.as_ref().map_or("failed", |failure| failure.message.as_str());
            format!("{}: {why}", view.name)
        })
        .collect();
    if failed.is_empty() {
        return Check::ok(NAME, format!("{} of them, none failed", boxes.len()));
    }
    let hint = boxes
        .iter()
        .find_map(|view| view.failure.as_ref().map(|failure| failure.hint.clone()))
        .filter(|hint| !hint.is_empty())
        .unwrap_or_else(|| "smartbox logs BOX, then smartbox restart BOX".into());
    Check::fail(NAME, failed.join("; "), hint)
}
