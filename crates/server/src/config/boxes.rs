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
    /// How much memory is given out, in percent of what the machine has; 0: whatever is asked for.
    pub overcommit: u32,
    /// Boots at the same time; one takes a whole processor for seconds.
    pub boots: usize,
    /// Multiplies the engine's deadlines; for slow machines.
    pub patience: u32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    tier: Option<String>,
    overcommit: Option<f64>,
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
    let overcommit = file.overcommit.or(base.overcommit).unwrap_or(0.0);
    if !(0.0..=1000.0).contains(&overcommit) {
        let why = format!("{overcommit} is not a factor");
        let hint = "write one between 0 (never refuse a start) and 1000, like 2.0";
        return Err(ConfigError::value("boxes.overcommit", why, hint));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be between 0 and 1000"
    )]
    let overcommit = (overcommit * 100.0).round() as u32;
    Ok(Boxes {
        tier,
        overcommit,
        boots: file.boots.or(base.boots).unwrap_or(1).max(1),
        patience: file.patience.or(base.patience).unwrap_or(1).clamp(1, 100),
    })
}
