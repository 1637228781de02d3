//! Takes real values out of what comes back to a box, should a server echo them: out of heads, and
//! out of bodies as they stream. See [`crate::forms`] for what is recognised and what never will be.
//!
//! The mask is as long as what it covers, so that lengths, frames and offsets stay right. Bodies are
//! decoded first (gzip, br, zstd), and pass on decoded.
//!
//! - An answer to a call that used a secret has a coding that can be decoded, or is refused;
//!   [`ask`] asks the server for nothing else.
//! - Parts are refused (206, and `multipart/byteranges` with it): a value cut by ranges would come in
//!   pieces that nothing can be seen in. [`ask`] drops `Range`, so that such a call gets the whole.
//! - A stream after 101 (WebSocket) goes through [`Window`] as it is: a server's frames are not masked
//!   and lengths do not change. [`ask`] drops `Sec-WebSocket-Extensions`, since they compress. A value
//!   over two frames is split by other text.
//! - The reason phrase of HTTP/1 is in no header map: whoever passes the head on leaves it out.
//! - Trailers are a header map: [`Scrub::headers`].
//! - Values shorter than [`crate::forms::SHORTEST`] cannot be recognised; they are never sent at all.

mod answer;
mod ask;
mod body;
mod decode;
mod mask;
mod window;

pub use answer::Refused;
pub use ask::ask;
pub use body::Body;
pub use decode::{Broken, Coding, Decoder, GRACE, RATIO};
pub use mask::Scrub;
pub use window::Window;
