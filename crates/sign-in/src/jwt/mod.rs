//! Signed tokens. The one place where a signature is checked and where what is behind it begins to be
//! believed.

mod claims;
mod key;
mod token;

pub(crate) use claims::{Claims, Expected};
pub(crate) use jsonwebtoken::Algorithm;
pub(crate) use key::Key;
pub(crate) use token::Token;
