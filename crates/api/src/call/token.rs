//! Calls about tokens and keys of operators.

use super::{Call, Json, Nothing, paged};
use crate::page::{Page, PageQuery};
use crate::paths;
use crate::token::{MadeToken, NewOperatorKey, NewToken, Rotate, TokenView};

/// A page of the tokens that the asker may see, the newest first; never a value.
pub fn tokens(which: &PageQuery) -> Call<Json<Page<TokenView>>> {
    Call::new("GET", paged(paths::TOKENS.to_owned(), which))
}

/// Makes a token of the API.
pub fn new_token(new: &NewToken) -> Call<Json<MadeToken>> {
    Call::new("POST", paths::TOKENS).with(new)
}

/// Gives a token a new value.
pub fn rotate_token(id: &str, how: Rotate) -> Call<Json<MadeToken>> {
    Call::new("POST", paths::rotate_token(id)).with(&how)
}

/// Revokes a token, and ends what was begun by it.
pub fn revoke_token(id: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::token(id))
}

/// Revokes every token of the API of the account.
pub fn revoke_tokens() -> Call<Nothing> {
    Call::new("DELETE", paths::TOKENS)
}

/// A page of the keys of operators, the newest first; never a value.
pub fn operator_keys(which: &PageQuery) -> Call<Json<Page<TokenView>>> {
    Call::new("GET", paged(paths::OPERATOR_KEYS.to_owned(), which))
}

/// Makes a key of an operator.
pub fn new_operator_key(new: &NewOperatorKey) -> Call<Json<MadeToken>> {
    Call::new("POST", paths::OPERATOR_KEYS).with(new)
}

/// Revokes a key of an operator.
pub fn revoke_operator_key(id: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::operator_key(id))
}
