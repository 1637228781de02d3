//! Model calls: what the AI gateway must know of a caller.

pub mod port;

use crate::id::SmartboxId;
use crate::secret::Secret;

/// Who calls, known by the listener that the call came through; the token is checked besides.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The box.
    pub id: SmartboxId,
    /// The token that its calls must carry, as `x-api-key` or bearer.
    pub token: Secret<String>,
    /// It is answered by the built-in demo, whatever model it names, and by nobody else.
    pub demo: bool,
}
