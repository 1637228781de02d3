//! Calls about people, and what they may.

use super::{Call, Json, Lines, Nothing, paged, with_query};
use crate::audit::{AuditLine, AuditQuery};
use crate::page::{Page, PageQuery};
use crate::paths;
use crate::person::{
    MemberView, Membership, NewPerson, PersonChange, PersonView, ShareView, Sharing, WhoAmI,
};

/// Who asks, as the platform knows it.
pub fn whoami() -> Call<Json<WhoAmI>> {
    Call::new("GET", paths::WHOAMI)
}

/// The account's audit, its signed end last.
pub fn audit(which: AuditQuery) -> Call<Lines<AuditLine>> {
    let after = which.after.map(|n| format!("after={n}"));
    let last = which.last.map(|n| format!("last={n}"));
    Call::new("GET", with_query(paths::AUDIT.to_owned(), [after, last]))
}

/// A page of everybody, by name.
pub fn people(which: &PageQuery) -> Call<Json<Page<PersonView>>> {
    Call::new("GET", paged(paths::PEOPLE.to_owned(), which))
}

/// Writes a person down.
pub fn new_person(new: &NewPerson) -> Call<Json<PersonView>> {
    Call::new("POST", paths::PEOPLE).with(new)
}

/// Changes a person.
pub fn change_person(who: &str, change: &PersonChange) -> Call<Json<PersonView>> {
    Call::new("PATCH", paths::person(who)).with(change)
}

/// Removes a person with all that they may.
pub fn remove_person(who: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::person(who))
}

/// A page of the members of an account, by name.
pub fn members(account: &str, which: &PageQuery) -> Call<Json<Page<MemberView>>> {
    Call::new("GET", paged(paths::members(account), which))
}

/// Makes somebody a member of an account.
pub fn set_member(account: &str, who: &str, what: Membership) -> Call<Json<MemberView>> {
    Call::new("PUT", paths::member(account, who)).with(&what)
}

/// Makes somebody no member of an account any more.
pub fn remove_member(account: &str, who: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::member(account, who))
}

/// A page of those with whom a box is shared, by name.
pub fn shares(name: &str, which: &PageQuery) -> Call<Json<Page<ShareView>>> {
    Call::new("GET", paged(paths::shares(name), which))
}

/// Shares a box with somebody.
pub fn set_share(name: &str, who: &str, what: Sharing) -> Call<Json<ShareView>> {
    Call::new("PUT", paths::share(name, who)).with(&what)
}

/// Shares a box with somebody no more.
pub fn remove_share(name: &str, who: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::share(name, who))
}
