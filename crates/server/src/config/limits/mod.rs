//! `[limits]`: how much may be asked, by whom.

mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use smartbox_core::limit::{Class, Patience, Rate, Rates};
use smartbox_core::time::parse_duration;

use super::error::ConfigError;

pub use wire::Wire;

/// Every limit as it was written, by its key, for people.
type Words = BTreeMap<&'static str, String>;

/// How much may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Of them, of one client.
    pub per_client: usize,
    /// Open sockets of one person to one smartbox.
    pub sockets: usize,
    /// Of one connection, whoever's it is.
    pub wire: Wire,
    /// By class, and the patience with wrong tokens.
    pub rates: Rates,
    /// Every limit as it was written, by its key, for people.
    pub words: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    connections: Option<usize>,
    per_client: Option<usize>,
    sockets: Option<usize>,
    frames: Option<WrittenRate>,
    knock: Option<WrittenRate>,
    guess: Option<WrittenRate>,
    visit: Option<WrittenRate>,
    read: Option<WrittenRate>,
    change: Option<WrittenRate>,
    run: Option<WrittenRate>,
    pair: Option<WrittenRate>,
    patience: WrittenPatience,
    wire: wire::Written,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRate {
    rate: String,
    #[serde(default)]
    burst: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenPatience {
    free: Option<u32>,
    first: Option<String>,
    most: Option<String>,
    forget: Option<String>,
}

impl Written {
    fn of(&self, class: Class) -> Option<&WrittenRate> {
        match class {
            Class::Knock => self.knock.as_ref(),
            Class::Guess => self.guess.as_ref(),
            Class::Visit => self.visit.as_ref(),
            Class::Read => self.read.as_ref(),
            Class::Change => self.change.as_ref(),
            Class::Run => self.run.as_ref(),
            Class::Pair => self.pair.as_ref(),
        }
    }
}

pub(crate) fn settle(file: &Written, base: &Written) -> Result<Limits, ConfigError> {
    let mut words = BTreeMap::new();
    let mut rates = Rates::NONE.patient(patience(&file.patience, &base.patience)?);
    for class in Class::ALL {
        let written = file.of(class).or(base.of(class));
        rates = rates.with(class, rate(class.as_str(), written, &mut words)?);
    }
    let frames = file.frames.as_ref().or(base.frames.as_ref());
    let wire = wire::settle((&file.wire, &base.wire), frames, &mut words)?;
    let some = |file: Option<usize>, base: Option<usize>| file.or(base).unwrap_or(1).max(1);
    Ok(Limits {
        connections: some(file.connections, base.connections),
        per_client: some(file.per_client, base.per_client),
        sockets: some(file.sockets, base.sockets),
        wire,
        rates,
        words,
    })
}

fn rate(
    name: &'static str,
    written: Option<&WrittenRate>,
    words: &mut Words,
) -> Result<Option<Rate>, ConfigError> {
    let Some(written) = written.filter(|written| written.rate != "none") else {
        words.insert(name, "no limit".to_owned());
        return Ok(None);
    };
    let count = written.rate.split('/').next().and_then(|count| count.trim().parse().ok());
    let burst = written.burst.or(count).unwrap_or(1);
    let rate = Rate::parse(&written.rate, burst).map_err(|error| {
        let hint = "write `{ rate = \"20/s\", burst = 200 }`, or `{ rate = \"none\" }`";
        ConfigError::value(format!("limits.{name}"), error.to_string(), hint)
    })?;
    words.insert(name, format!("{}, {} at once", written.rate, rate.burst()));
    Ok(Some(rate))
}

fn patience(file: &WrittenPatience, base: &WrittenPatience) -> Result<Patience, ConfigError> {
    let time = |name: &str, file: &Option<String>, base: &Option<String>| {
        let text = file.as_deref().or(base.as_deref()).unwrap_or("0s");
        parse_duration(text).map_err(|error| {
            let key = format!("limits.patience.{name}");
            ConfigError::value(key, error.to_string(), "write a time like `1s`, `15m` or `1h`")
        })
    };
    let first: Duration = time("first", &file.first, &base.first)?;
    Ok(Patience {
        free: file.free.or(base.free).unwrap_or(0),
        first,
        most: time("most", &file.most, &base.most)?.max(first),
        forget: time("forget", &file.forget, &base.forget)?,
    })
}
