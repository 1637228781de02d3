//! How the keys of well-known services are sent, in a data file.

use std::collections::BTreeMap;

use serde::Deserialize;
use smartbox_core::egress::{Binding, Bound, PathPattern, Pattern, Place, Rule, Shape};

/// What ships.
const SHIPPED: &str = include_str!("../../egress/services.toml");

/// A service, and how it takes its key.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// One line for whoever chooses.
    pub description: String,
    shape: Shape,
    to: Vec<To>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    description: String,
    #[serde(default)]
    shape: Shape,
    to: Vec<To>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    host: Pattern,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    paths: Vec<PathPattern>,
    places: Vec<Place>,
}

impl Service {
    /// How a secret of this name is bound as the service's key.
    pub fn bound(&self, secret: &str) -> Bound {
        let binding = |to: &To| Binding {
            secret: secret.to_owned(),
            to: Rule {
                ports: to.ports.clone(),
                paths: to.paths.clone(),
                ..Rule::of(to.host.clone())
            },
            places: to.places.clone(),
            in_clear: false,
        };
        Bound { shape: self.shape.clone(), bindings: self.to.iter().map(binding).collect() }
    }
}

/// Every service that is known, by name.
#[derive(Debug, Clone, Default)]
pub struct Services(BTreeMap<String, Service>);

impl Services {
    /// Those that ship.
    pub fn shipped() -> Result<Self, toml::de::Error> {
        let written: BTreeMap<String, Written> = toml::from_str(SHIPPED)?;
        let of = |(name, Written { description, shape, to }): (String, Written)| {
            (name.clone(), Service { name, description, shape, to })
        };
        Ok(Self(written.into_iter().map(of).collect()))
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.values()
    }

    /// The one with this name.
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.0.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_can_be_read_and_bound() {
        let services = Services::shipped().unwrap();
        for service in services.iter() {
            let bound = service.bound("KEY");
            assert!(!bound.bindings.is_empty(), "{}", service.name);
            for binding in bound.bindings {
                binding.check().unwrap();
            }
        }
        assert!(services.get("telegram").is_some() && services.get("nothing").is_none());
    }
}
