//! Lists of rules under a name, in a data file.

use std::collections::BTreeMap;

use serde::Deserialize;
use smartbox_core::egress::{BadRule, Entry, PathPattern, Rule, is_preset};

/// What ships.
const SHIPPED: &str = include_str!("../../egress/presets.toml");

/// A list of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Its name: letters, digits and hyphens, so that it is no host.
    pub name: String,
    /// One line for whoever chooses.
    pub description: String,
    /// What it allows.
    pub rules: Vec<Rule>,
}

/// A list as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    description: String,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    paths: Vec<PathPattern>,
    hosts: Vec<String>,
}

/// Why lists are not taken.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("{0}")]
    Malformed(String),
    /// The name is none.
    #[error("`{0}` is no name of a preset; use letters, digits and hyphens")]
    Name(String),
    /// One of its rules.
    #[error("preset `{name}`: {source}")]
    Rule {
        /// Of which list.
        name: String,
        /// What is wrong.
        source: BadRule,
    },
}

/// Every list there is.
#[derive(Debug, Clone)]
pub struct Presets(BTreeMap<String, Preset>);

impl Presets {
    /// Those that ship.
    pub fn shipped() -> Result<Self, PresetError> {
        let mut presets = Self(BTreeMap::new());
        presets.add(SHIPPED)?;
        Ok(presets)
    }

    /// Adds those of a file; one of a name that is there replaces it.
    pub fn add(&mut self, text: &str) -> Result<(), PresetError> {
        let written: BTreeMap<String, Written> =
            toml::from_str(text).map_err(|e| PresetError::Malformed(e.message().to_owned()))?;
        for (name, written) in written {
            if !is_preset(&name) {
                return Err(PresetError::Name(name.chars().take(60).collect()));
            }
            let rules: Result<Vec<Rule>, BadRule> =
                written.hosts.iter().map(|host| rule(host, &written)).collect();
            let rules = rules.map_err(|source| PresetError::Rule { name: name.clone(), source })?;
            let preset = Preset { name: name.clone(), description: written.description, rules };
            self.0.insert(name, preset);
        }
        Ok(())
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.0.values()
    }

    /// The one with this name.
    pub fn get(&self, name: &str) -> Option<&Preset> {
        self.0.get(name)
    }

    /// The first of these texts that is a preset's name, and no preset's here.
    pub fn unknown<'t>(&self, texts: &'t [String]) -> Option<&'t str> {
        let missing = |text: &&String| is_preset(text) && !self.0.contains_key(*text);
        texts.iter().find(missing).map(String::as_str)
    }

    /// What a preset allows, as entries that name it. One that there is no more allows nothing.
    pub(super) fn entries(&self, name: &str) -> Vec<Entry> {
        let Some(preset) = self.0.get(name) else { return Vec::new() };
        let of = |rule: &Rule| Entry { preset: Some(name.to_owned()), ..Entry::new(rule.clone()) };
        preset.rules.iter().map(of).collect()
    }
}

fn rule(host: &str, written: &Written) -> Result<Rule, BadRule> {
    let mut rule = Rule::parse(host)?;
    rule.methods.clone_from(&written.methods);
    rule.paths.clone_from(&written.paths);
    rule.check()?;
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_can_be_read() {
        let presets = Presets::shipped().unwrap();
        for name in ["registries", "git", "search", "models", "web", "web-read"] {
            assert!(!presets.get(name).unwrap().rules.is_empty(), "{name}");
        }
        assert!(presets.get("web-read").unwrap().rules[0].looks_inside());
        assert!(presets.entries("nothing").is_empty());
    }

    #[test]
    fn a_file_may_add_and_replace_and_may_be_wrong() {
        let mut presets = Presets::shipped().unwrap();
        presets.add("[git]\ndescription = \"ours\"\nhosts = [\"git.example.com:22\"]").unwrap();
        assert_eq!(presets.get("git").unwrap().rules.len(), 1);
        for bad in [
            "x",
            "[git]\nhosts = [\"a.b\"]",
            "[git]\ndescription = \"\"\nhosts = [\"localhost\"]",
            "[git]\ndescription = \"\"\nhosts = [\"a.b\"]\nmethods = [\"get\"]",
            "[\"a.b\"]\ndescription = \"\"\nhosts = [\"a.b\"]",
            "[git]\ndescription = \"\"\nhosts = []\nmore = 1",
        ] {
            assert!(presets.add(bad).is_err(), "{bad}");
        }
    }
}
