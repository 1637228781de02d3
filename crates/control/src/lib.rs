//! The engine room: what is wished becomes true here, and in one way.
//!
//! A handler writes a wish into the one row of a smartbox and wakes that box's *keeper*
//! (`keeper`). The keeper reads the row and what the runtime sees, asks the pure
//! [`smartbox_core::smartbox::plan::plan`] for the next steps, performs and records them. Start, restart,
//! wake, crash, sleep and removal are all this loop.
//!
//! Whatever outlives a request is a job ([`jobs`]): it goes on where the process before left it.
//!
//! What is absent: HTTP, SQL, and the name of any driver. Those come in by the ports of `core`.

mod accounts;
pub mod activity;
mod admission;
mod boxes;
mod config;
mod control;
mod doors;
mod egress;
mod error;
mod exec;
mod files;
mod issues;
pub mod jobs;
mod keeper;
mod kinds;
mod logs;
mod messages;
mod models;
mod moves;
mod parts;
mod resolve;
mod routes;
mod snapshots;
mod stock;
mod trail;
mod works;

pub use accounts::change::AccountChange;
pub use accounts::create::NewAccount;
pub use activity::Tracker;
pub use boxes::change::{Change, LabelChange};
pub use boxes::create::NewSmartbox;
pub use boxes::find::{Note, Reach};
pub use boxes::fleet::{Fleet, Member};
pub use boxes::select::Selection;
pub use boxes::view::View;
pub use config::{Config, How, Opened, Outcome, Terms};
pub use control::Control;
pub use doors::{Door, Doors};
pub use egress::{
    Book, BookParts, NewRule, Preset, PresetError, Presets, Service, Services, Standin, Standings,
};
pub use error::ControlError;
pub use exec::{Caps, Captured, End, Kept, LONGEST, Running};
pub use files::{Arriving, FileDone, FileOp, MAX_OPS, Unpacked, Upload, Written};
pub use issues::Cause;
pub use jobs::NewJob;
pub use kinds::{KindError, Kinds, Origin};
pub use logs::lines::{Begin, Lines};
pub use messages::accept::NewMessage;
pub use moves::{Imported, LeftOut, NewImport, Source};
pub use parts::{Actor, EngineSlot, Origins, Parts, Settings, Trust};
pub use snapshots::{
    ArchiveChange, ArchiveView, Compare, Recoverable, SnapshotJob, SnapshotSettings, Undelete,
};
pub use stock::Load;
pub use trail::Trail;
