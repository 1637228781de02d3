//! Who someone is, as somebody else says it: Cloudflare Access in front of the platform, or a provider of
//! OpenID Connect that the browser is sent to.
//!
//! What comes out is an [`Identity`](smartbox_core::person::Identity). What is absent: what that person may
//! do, sessions, cookies, and every word of HTTP towards the browser.
//!
//! A token is hostile until its signature, its issuer, its audience and its times were checked, in
//! `jwt` for both. Which key it names is only a question to a set that was fetched from the issuer; a
//! token never says how it is to be checked.

mod access;
mod cached;
mod http;
mod jwt;
mod keys;
mod oidc;
mod refused;
mod setting;

pub use access::{Access, AccessSettings, Team};
pub use http::{Fault, Http};
pub use oidc::{Begun, ClientAuth, Oidc, OidcSettings, Pending, Returned, SignedIn};
pub use refused::Refused;
pub use setting::BadSetting;
