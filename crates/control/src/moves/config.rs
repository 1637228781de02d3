//! The old configuration, made one that the engine here can start with. What it does not allow is taken
//! out and told; the file as it was stays beside it.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use smartbox_core::config::MAX_BYTES;
use smartbox_core::config::port::Configs;
use smartbox_core::moves::{Plan, credentials, leave_models, relocate, secret_variables};
use smartbox_core::smartbox::Smartbox;

use super::failed;
use crate::control::Control;
use crate::error::ControlError;

/// Rounds in which refused keys are taken out.
const ROUNDS: usize = 20;

/// What is told of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) warnings: Vec<String>,
    pub(super) credentials: Vec<String>,
}

impl Control {
    /// Adapts the configuration that lies on the stage to a box of this row.
    pub(super) async fn adapt(
        &self,
        row: &Smartbox,
        plan: &Plan,
        stage: &Path,
    ) -> Result<Told, ControlError> {
        let mut told = Told::default();
        let slot = self.engine(&row.engine)?.clone();
        let at = stage.join(path(&plan.to_config));
        let variables = at.parent().map(|dir| dir.join(".env"));
        if let Some(text) = variables.and_then(|at| read(&at)) {
            let names = secret_variables(&String::from_utf8_lossy(&text));
            told.credentials.extend(names.into_iter().map(|name| format!(".env: {name}")));
        }
        let Some(before) = read(&at) else {
            if plan.config.is_some() {
                told.warnings.push("the old configuration is too large: it is not used".into());
                aside(&at)?;
            }
            return Ok(told);
        };
        let mut document = match slot.configs.read(&before) {
            Ok(document) => document,
            Err(why) => {
                told.warnings
                    .push(format!("the old configuration cannot be read, and is not used: {why}"));
                aside(&at)?;
                return Ok(told);
            }
        };
        let old = document.clone();
        relocate(&mut document, &plan.relocations);
        told.credentials.extend(credentials(&document).into_iter().filter(theirs(&*slot.configs)));
        told.warnings.extend(models(&mut document, &*slot.configs));
        for _ in 0..ROUNDS {
            let settings = self.engine_settings(row);
            let configured =
                slot.engine.configure(Some(document.to_string().as_bytes()), &settings);
            let Ok(effective) = slot.configs.read(&configured.bytes) else { break };
            let faults = match slot.configs.check(effective).await {
                Ok(faults) => faults,
                Err(error) => {
                    told.warnings.push(format!("the old configuration was not checked: {error}"));
                    break;
                }
            };
            let mut taken = false;
            for fault in &faults {
                if take_out(&mut document, &fault.path) {
                    taken = true;
                    told.warnings.push(format!(
                        "`{}` of the old configuration is left out: {}",
                        fault.path, fault.message
                    ));
                }
            }
            if !taken {
                let rest = faults.iter().map(|fault| {
                    format!(
                        "the engine may refuse the configuration: {}: {}",
                        fault.path, fault.message
                    )
                });
                told.warnings.extend(rest);
                break;
            }
        }
        told.warnings.extend(channels(&document));
        if document != old {
            aside(&at)?;
            let bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
            let write = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&at);
            write
                .and_then(|mut file| std::io::Write::write_all(&mut file, &bytes))
                .map_err(|e| failed("writing the configuration", e))?;
        }
        Ok(told)
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// A regular file of a reasonable length. Nothing on the stage is anybody's but ours; a link in it is.
fn read(at: &Path) -> Option<Vec<u8>> {
    let meta = fs::symlink_metadata(at).ok()?;
    (meta.is_file() && meta.len() <= MAX_BYTES as u64).then(|| fs::read(at).ok())?
}

/// Keeps the file as it was under another name.
fn aside(at: &Path) -> Result<(), ControlError> {
    let mut name = at.as_os_str().to_owned();
    name.push(".before-import");
    fs::rename(at, name).map_err(|e| failed("keeping the old configuration", e))
}

/// Removes what a path like `agents.defaults.model` means. False if it is not there.
fn take_out(document: &mut Value, path: &str) -> bool {
    if path.is_empty() {
        return false;
    }
    let parts: Vec<&str> = path.split('.').collect();
    let Some((last, way)) = parts.split_last() else { return false };
    let mut at = document;
    for part in way {
        let next = match at {
            Value::Object(map) => map.get_mut(*part),
            Value::Array(items) => part.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    match at {
        Value::Object(map) => map.remove(*last).is_some(),
        Value::Array(items) => match last.parse() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// What the platform writes itself opens nothing.
fn theirs(configs: &dyn Configs) -> impl Fn(&String) -> bool {
    let ours = configs.platforms();
    move |at| {
        let beneath = |key: &String| {
            at.strip_prefix(key.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        !ours.iter().any(beneath)
    }
}

/// A box reaches models by the platform alone, and without a key of its own.
fn models(document: &mut Value, configs: &dyn Configs) -> Option<String> {
    const PROVIDERS: &str = "models.providers.";
    let ours = configs.platforms();
    let ours = ours.iter().find_map(|key| key.strip_prefix(PROVIDERS))?;
    let was = document.pointer("/agents/defaults/model");
    let was = was.and_then(|model| model.get("primary").unwrap_or(model).as_str());
    let was = was.map(|name| format!(" (it had `{name}`)")).unwrap_or_default();
    let left = leave_models(document, ours);
    (!left.is_empty()).then(|| {
        format!(
            "it thinks with the platform's model from now on{was}; left out of its configuration: {}",
            left.join(", ")
        )
    })
}

/// Channels that are on: two assistants with one bot's token take messages from one another.
fn channels(document: &Value) -> Vec<String> {
    let Some(channels) = document.get("channels").and_then(Value::as_object) else { return vec![] };
    let on = channels.iter().filter(|(name, channel)| {
        *name != "defaults"
            && channel.is_object()
            && channel.get("enabled") != Some(&Value::Bool(false))
    });
    on.map(|(name, _)| {
        format!("the channel `{name}` is set up: stop the old assistant before this one starts, or both answer")
    })
    .collect()
}
