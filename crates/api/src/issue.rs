//! Issues on the wire: `GET /api/v1/issues`, `POST /api/v1/issues/{id}/resolve`.

use serde::{Deserialize, Serialize};
pub use smartbox_core::issue::{Issue, Kind, Severity};
use utoipa::IntoParams;

/// Which issues. Those that were opened last come first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct IssueQuery {
    /// `open` (if absent), `resolved` or `all`.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Which>,
    /// Of this severity alone.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Of this smartbox alone, by name or id.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// How many things at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Issues by whether they are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = IssueState)]
pub enum Which {
    /// Not resolved.
    Open,
    /// Resolved, and kept for thirty days.
    Resolved,
    /// Both.
    All,
}
