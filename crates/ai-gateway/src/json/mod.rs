//! Reading along in JSON that passes by, without holding it.

pub(crate) mod scan;
