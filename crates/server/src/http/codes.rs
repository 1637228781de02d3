//! Codes that several routes are refused with, besides those that every route has.

use smartbox_api::problem::Code;

/// Of one thing, which may not be there.
pub(super) const OF_ONE: &[Code] = &[Code::NotFound];
/// Of one thing, whose name the caller chooses.
pub(super) const NAMED: &[Code] = &[Code::BadName, Code::NotFound];
/// What asks something of a box, which may be off, failed or late.
pub(super) const WAKES: &[Code] = &[
    Code::NotFound,
    Code::Conflict,
    Code::Tripped,
    Code::Refused,
    Code::Upstream,
    Code::Off,
    Code::Failed,
    Code::Late,
];
/// What a box is told: it is accepted before the box is there.
pub(super) const SPOKEN_TO: &[Code] =
    &[Code::BadName, Code::NotFound, Code::Exists, Code::Refused, Code::Off];
/// What takes a command in; its box is woken afterwards.
pub(super) const RUNS: &[Code] = &[Code::NotFound, Code::Conflict, Code::Refused, Code::Off];
/// What opens a WebSocket: it is asked where it comes from like a change, and says the rest over the
/// socket.
pub(super) const SOCKET: &[Code] = &[Code::NotFound, Code::Forbidden];
