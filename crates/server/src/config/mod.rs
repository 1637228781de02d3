//! What the operator decides: one TOML file in the data directory, all of it optional, and a few
//! environment variables that win over it.
//!
//! The defaults are data ([`defaults.toml`](../../src/config/defaults.toml)), so no tier, price or
//! model has its name in code. One section is one file. What is absent: reading the environment of
//! the process anywhere but in [`env::Env::process`].

pub mod boxes;
pub mod devices;
pub mod egress;
pub mod engine;
pub mod env;
pub mod error;
pub mod file;
pub mod http;
pub mod jobs;
pub mod kinds;
pub mod limits;
pub mod metrics;
pub mod models;
pub mod nearest;
pub mod original;
pub mod place;
pub mod sign_in;
pub mod size;
pub mod sleep;
pub mod snapshots;
pub mod sources;
pub mod tier;
pub mod tls;
pub mod traces;
pub mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use smartbox_control::Kinds;

pub use env::Env;
pub use error::ConfigError;

/// The name of the file in the data directory.
pub const FILE: &str = "smartbox.toml";

/// Everything that is decided.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where people come in.
    pub http: http::Http,
    /// What new boxes are like.
    pub boxes: boxes::Boxes,
    /// What lets devices in.
    pub devices: devices::Devices,
    /// When boxes sleep.
    pub sleep: sleep::Sleep,
    /// How many jobs run, and how long they are remembered.
    pub jobs: smartbox_control::jobs::Limits,
    /// How much may be asked, by whom.
    pub limits: limits::Limits,
    /// What may leave boxes.
    pub egress: egress::Egress,
    /// The engine of new boxes.
    pub engine: engine::EngineChoice,
    /// Where Prometheus may ask.
    pub metrics: metrics::Metrics,
    /// Where snapshots are kept, and which.
    pub snapshots: snapshots::Snapshots,
    /// Where spans are sent.
    pub traces: traces::Traces,
    /// Who may come in by somebody else's word.
    pub sign_in: sign_in::SignIn,
    /// Model providers.
    pub models: models::Models,
    /// Where the vault's master key comes from.
    pub vault: vault::Master,
    /// What a box may use, by the tier's name.
    pub tiers: BTreeMap<String, tier::Tier>,
    /// What boxes are made from.
    pub kinds: Kinds,
    /// Secrets that the environment gives; used, and kept nowhere.
    pub given: env::Given,
    /// Nobody has to sign in; only on a loopback address.
    pub dev: bool,
    /// Of variables that are set and change nothing, or much, for people.
    pub notes: Vec<String>,
}

/// The file as it is written: every key that there is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    http: http::Written,
    boxes: boxes::Written,
    devices: devices::Written,
    sleep: sleep::Written,
    egress: egress::Written,
    engine: engine::Written,
    jobs: jobs::Written,
    limits: limits::Written,
    metrics: metrics::Written,
    models: models::Written,
    sign_in: sign_in::Written,
    snapshots: snapshots::Written,
    traces: traces::Written,
    vault: vault::Written,
    tiers: BTreeMap<String, tier::Written>,
}

/// What the command line says over file and environment.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`.
    pub listen: Option<String>,
    /// Whether `--data-dir` was given.
    pub data_dir: bool,
}

impl Config {
    /// Reads defaults, file and environment of a data directory, later ones winning.
    pub fn load(data_dir: &Path, env: &Env, over: &Overrides) -> Result<Self, ConfigError> {
        let config = Self::from_text(data_dir, &text_of(data_dir)?, env, over)?;
        let kinds = kinds::load(data_dir)?;
        for (kind, _) in kinds.iter() {
            if let Some(tier) = kind.tier.as_ref().filter(|tier| !config.tiers.contains_key(*tier))
            {
                let why = format!("the kind `{}` has the tier `{tier}`, which is none", kind.name);
                let hint = "define the tier, or correct the kind's file";
                return Err(ConfigError::value(kinds::DIR, why, hint));
            }
        }
        let presets = egress::load(data_dir)?;
        egress::check(&presets, "egress.allow", &config.egress.allow)?;
        for (kind, _) in kinds.iter() {
            egress::check(&presets, &format!("the kind `{}`, egress", kind.name), &kind.egress)?;
        }
        let egress = egress::Egress { presets, ..config.egress };
        Ok(Self { kinds, egress, ..config })
    }

    /// The same, from the text of a file, with the kinds that ship.
    pub fn from_text(
        data_dir: &Path,
        text: &str,
        env: &Env,
        over: &Overrides,
    ) -> Result<Self, ConfigError> {
        let read = Self::settle(data_dir, text, env, over);
        read.map_err(|error| error.placed(&data_dir.join(FILE), text))
    }

    fn settle(
        data_dir: &Path,
        text: &str,
        env: &Env,
        over: &Overrides,
    ) -> Result<Self, ConfigError> {
        let path = data_dir.join(FILE);
        let base: Written = file::parse(Path::new("defaults.toml"), include_str!("defaults.toml"))?;
        let file: Written = file::parse(&path, text)?;
        let Written {
            http,
            boxes,
            devices,
            sleep,
            egress,
            engine,
            jobs,
            limits,
            metrics,
            models,
            sign_in,
            snapshots,
            traces,
            vault,
            tiers,
        } = file;
        let tiers = tier::settle(base.tiers, tiers)?;
        let http = http::settle(http, base.http, env, over.listen.as_deref())?;
        let models = models::settle(models, base.models, env)?;
        let sign_in = sign_in::settle(sign_in, base.sign_in, env)?;
        let config = Self {
            data_dir: data_dir.to_owned(),
            dev: original::dev_mode(env, &http)?,
            http,
            boxes: boxes::settle(&boxes, &base.boxes, &tiers)?,
            devices: devices::settle(&devices, &base.devices)?,
            sleep: sleep::settle(&sleep, &base.sleep, env)?,
            egress: egress::settle(egress, base.egress)?,
            engine: engine::settle(engine, base.engine)?,
            jobs: jobs::settle(&jobs, &base.jobs)?,
            limits: limits::settle(&limits, &base.limits)?,
            metrics: metrics::settle(&metrics)?,
            snapshots: snapshots::settle(snapshots, base.snapshots, data_dir, env)?,
            traces: traces::settle(&traces, env)?,
            vault: vault::settle(&vault, env)?,
            given: env::given(env, models.providers.iter().filter_map(|p| p.secret.as_deref()))?,
            models,
            tiers,
            kinds: kinds::shipped()?,
            notes: original::notes(env).into_iter().chain(sign_in.notes()).collect(),
            sign_in,
        };
        Ok(config)
    }
}

/// The text of a data directory's file; empty if there is none.
pub fn text_of(data_dir: &Path) -> Result<String, ConfigError> {
    let path = data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}
