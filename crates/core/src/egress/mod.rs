//! What may leave a box: hosts, rules, layers of rules, and the one decision over them. What is
//! absent: names are not resolved and nothing is dialled here; see [`address`] for what must never
//! be dialled whatever a rule says.

pub mod address;
pub mod alarm;
mod binding;
mod decide;
mod host;
mod pattern;
mod placeholder;
mod policy;
pub mod port;
mod quota;
mod record;
mod rule;

pub use binding::{BadBinding, Binding, Bound, Form, Held, Place, Standins};
pub use decide::{Allowed, Decision, Refusal, Request, decide, decide_name, decide_request};
pub use host::{BadHost, Host, HostName};
pub use pattern::{BadPattern, PathPattern, Pattern};
pub use placeholder::{BadShape, Placeholder, SHAPES, Shape};
pub use policy::{Layer, Policy, Source};
pub use quota::{Quota, Spent, Way};
pub use record::{Effect, Kept, MOST_SECRETS, Scope, Use, What, day};
pub use rule::{BadRule, Entry, Rule, WEB_PORTS, is_preset};
