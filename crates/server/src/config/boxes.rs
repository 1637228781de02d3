//! `[boxes]`: what new boxes are like, and how many start at once.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::ConfigError;
use super::nearest::nearest;
use super::tier::Tier;

/// What new boxes are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boxes {
    /// The tier of boxes that ask for none.
    pub tier: String,
    /// Boots at the same time; one takes a whole processor for seconds.
    pub boots: usize,
    /// Multiplies the engine's deadlines; for slow machines.
    pub patience: u32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    tier: Option<String>,
    boots: Option<usize>,
    patience: Option<u32>,
}

pub(crate) fn settle(
    file: &Written,
    base: &Written,
    tiers: &BTreeMap<String, Tier>,
) -> Result<Boxes, ConfigError> {
    let tier = file.tier.clone().or_else(|| base.tier.clone()).unwrap_or_default();
    if !tiers.contains_key(&tier) {
        let known = || tiers.keys().map(String::as_str);
        let hint = nearest(&tier, known()).map_or_else(
            || format!("the tiers are: {}", known().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(ConfigError::value("boxes.tier", format!("there is no tier `{tier}`"), hint));
    }
    Ok(Boxes {
        tier,
        boots: file.boots.or(base.boots).unwrap_or(1).max(1),
        patience: file.patience.or(base.patience).unwrap_or(1).clamp(1, 100),
    })
}
