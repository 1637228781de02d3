//! From a request that may pass to the engine's answer: HTTP, both ways streaming, nothing kept.

mod bell;
mod download;
mod forward;
mod guard;
mod headers;
mod link;
mod pool;
mod reply;
mod shield;
mod upload;
mod wire;

pub(crate) use download::Download;
pub(crate) use forward::Errand;
pub(crate) use guard::{own_origin, own_origin_strict, uninvited};
pub(crate) use headers::drop_where;
pub(crate) use link::DEFAULT_HEADERS;
pub(crate) use link::builder as engine_builder;
pub(crate) use pool::Pool;
pub(crate) use reply::toward_client;
pub(crate) use wire::Wire;
