//! One model call of a box: from its request to the last byte of its answer.

pub(crate) mod answer;
pub(crate) mod authenticate;
pub(crate) mod forward;
pub(crate) mod headers;
pub(crate) mod inbound;
pub(crate) mod limits;
pub(crate) mod peek;
pub(crate) mod refuse;
pub(crate) mod relay;
pub(crate) mod route;
pub(crate) mod scrub;
