//! The templates that smartboxes are made from: those that ship, and the owner's own.

mod furnish;

use std::collections::BTreeMap;

use serde::Deserialize;
use smartbox_core::kind::{BadKind, Base, Kind, Template};

/// Appended to the instructions of every kind: what holds wherever a smartbox runs.
const PLACE: &str = include_str!("../../kinds/place.md");
/// The file that it is appended to.
const INSTRUCTIONS: &str = "AGENTS.md";

const SHIPPED: [&str; 9] = [
    include_str!("../../kinds/pa.toml"),
    include_str!("../../kinds/project.toml"),
    include_str!("../../kinds/runtime.toml"),
    include_str!("../../kinds/customer-service.toml"),
    include_str!("../../kinds/research.toml"),
    include_str!("../../kinds/finance.toml"),
    include_str!("../../kinds/creative.toml"),
    include_str!("../../kinds/social.toml"),
    include_str!("../../kinds/custom.toml"),
];

/// Where a template comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// With the platform.
    Shipped,
    /// From the owner's directory.
    Own,
}

/// Why a template is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("line {line}: {why}")]
    Malformed {
        /// From 1.
        line: usize,
        /// In the parser's words.
        why: String,
    },
    /// It holds something that it must not.
    #[error(transparent)]
    Bad(#[from] BadKind),
    /// Two of the owner's own have the name.
    #[error("there is another kind `{0}` of your own")]
    Twice(Kind),
    /// It replaces one that ships, and would be something else.
    #[error("the kind `{name}` ships with base `{base}`, and cannot have another one")]
    Rebased {
        /// Its name.
        name: Kind,
        /// The base that it ships with.
        base: Base,
    },
}

/// Every template there is.
#[derive(Debug, Clone)]
pub struct Kinds(BTreeMap<Kind, (Template, Origin)>);

impl Kinds {
    /// Those that ship.
    pub fn shipped() -> Result<Self, KindError> {
        let read = |text: &&str| {
            let template = read(text)?;
            Ok((template.name.clone(), (template, Origin::Shipped)))
        };
        SHIPPED.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Adds one of the owner's own. It may take the place of one that ships, with the same base.
    pub fn add(&mut self, text: &str) -> Result<(), KindError> {
        let template = read(text)?;
        match self.0.get(&template.name) {
            Some((_, Origin::Own)) => return Err(KindError::Twice(template.name)),
            Some((shipped, Origin::Shipped)) if shipped.base != template.base => {
                return Err(KindError::Rebased { name: template.name, base: shipped.base });
            }
            _ => {}
        }
        self.0.insert(template.name.clone(), (template, Origin::Own));
        Ok(())
    }

    /// The template of this name.
    pub fn get(&self, kind: &Kind) -> Option<&Template> {
        self.0.get(kind).map(|(template, _)| template)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Template, Origin)> {
        self.0.values().map(|(template, origin)| (template, *origin))
    }
}

/// The files that a smartbox of this kind gets, with what the platform adds.
fn files(template: &Template) -> impl Iterator<Item = (&str, String)> {
    template.files.iter().map(|(path, text)| {
        let added = if path == INSTRUCTIONS { PLACE } else { "" };
        (path.as_str(), format!("{}\n{added}", text.trim()))
    })
}

fn read(text: &str) -> Result<Template, KindError> {
    let parsed = toml::Deserializer::parse(text).and_then(Template::deserialize);
    let template = parsed.map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        KindError::Malformed { line, why: error.message().trim().to_owned() }
    })?;
    template.check()?;
    Ok(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_ships_says_who_it_is_and_how_it_begins() {
        let kinds = Kinds::shipped().unwrap();
        let names: Vec<_> = kinds.iter().map(|(kind, _)| kind.name.to_string()).collect();
        let all = "creative custom customer-service finance pa project research runtime social";
        assert_eq!(names, all.split(' ').collect::<Vec<_>>());
        for (kind, _) in kinds.iter() {
            let name = &kind.name;
            let instructions = &kind.files[INSTRUCTIONS];
            assert!(instructions.contains("## First turn"), "{name}");
            // The engine's own first-run ritual is what a blank one begins with.
            assert_eq!(kind.files.contains_key("SOUL.md"), *name != Kind::CUSTOM, "{name}");
            // The engine reads so much of this file, and no more.
            assert!(kind.files.get("USER.md").is_none_or(|t| t.chars().count() < 4000), "{name}");
            for (path, text) in files(kind) {
                assert!(text.chars().count() < 20_000, "{name}: {path}");
                assert_eq!(text.contains("## This place"), path == INSTRUCTIONS, "{name}: {path}");
                assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}: {path}");
            }
        }
        let runtime = kinds.get(&Kind::RUNTIME).unwrap();
        assert!(runtime.notice.as_ref().unwrap().contains("cannot reach any machine"));
        let bases = kinds.iter().filter(|(kind, _)| kind.base != Base::Custom).count();
        assert_eq!(bases, 3);
    }

    #[test]
    fn ones_own_kind_is_added_or_takes_the_place_of_one_that_ships() {
        let mut kinds = Kinds::shipped().unwrap();
        let own = |name: &str, base: &str| {
            format!("name = \"{name}\"\nbase = \"{base}\"\ndescription = \"Ours\"\n")
        };
        kinds.add(&own("research", "custom")).unwrap();
        assert_eq!(kinds.get(&Kind::parse("research").unwrap()).unwrap().description, "Ours");
        let settings = "[settings.agents.defaults]\nmodel = \"x\"\n[files]\n\"a/b.md\" = \"hi\"";
        kinds.add(&format!("{}{settings}", own("legal", "custom"))).unwrap();
        let legal = kinds.get(&Kind::parse("legal").unwrap()).unwrap();
        assert_eq!(legal.settings["agents"]["defaults"]["model"], "x");
        assert!(matches!(kinds.add(&own("legal", "custom")), Err(KindError::Twice(_))));
        assert!(matches!(kinds.add(&own("pa", "custom")), Err(KindError::Rebased { .. })));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let mut kinds = Kinds::shipped().unwrap();
        let error = kinds.add("name = \"x\"\nbase = \"custom\"\ncolour = \"red\"").unwrap_err();
        assert!(matches!(error, KindError::Malformed { line: 3, .. }), "{error}");
        assert!(error.to_string().contains("colour"), "{error}");
        let error = kinds.add("name = \"X\"").unwrap_err();
        assert!(error.to_string().contains("is not a kind's name"), "{error}");
        let escape =
            "name = \"x\"\nbase = \"custom\"\ndescription = \"d\"\n[files]\n\"../x\" = \"y\"";
        assert!(matches!(kinds.add(escape), Err(KindError::Bad(_))));
    }
}
