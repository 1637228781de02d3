//! Running a command in a box: one `POST` that streams both ways, or a WebSocket ([`live`]).
//!
//! The request's body is frames: the first is [`Frame::Order`], then `Stdin`, `StdinEnd`, `Resize`
//! and `Signal` as they come. The platform wakes the box, and only then answers: 200 with frames
//! (`Stdout`, `Stderr`, and last `Exit` or `Failed`), or a problem document if nothing was run.
//! Ending the request's body is not the end of standard input (that is `StdinEnd`); it cancels the
//! command and kills it, as does closing the connection. HTTP/1.1 and HTTP/2 carry it alike; the
//! frames are the link's own, so no byte is translated on its way to init.

pub mod live;

pub use smartbox_link::frame::{BadFrame, Frame, MAX_PAYLOAD};
pub use smartbox_link::wire::{ExecOrder, Exit, TtySize};

/// The bodies of both, in the OpenAPI document: frames, as bytes.
#[derive(Debug, utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ExecFrames(pub Vec<u8>);

/// The media type of both bodies.
pub const MEDIA_TYPE: &str = "application/vnd.smartbox.exec";
