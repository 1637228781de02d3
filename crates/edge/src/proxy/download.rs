//! The body of a response on its way to the client. While it streams it drives the connection it
//! comes from, and keeps the box busy; at its end the connection goes back to the pool.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use smartbox_core::activity::Busy;
use smartbox_core::id::SmartboxId;

use crate::proxy::link::Link;
use crate::proxy::pool::Pool;

pub(crate) struct Download {
    incoming: Incoming,
    source: Option<Source>,
    _busy: Option<Box<dyn Busy>>,
}

/// Where a response comes from, and where its connection goes afterwards.
pub(crate) struct Source {
    pub(crate) link: Box<Link>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) id: SmartboxId,
}

impl Download {
    /// A response's body; without a source its connection is driven by someone else.
    pub(crate) fn new(
        incoming: Incoming,
        source: Option<Source>,
        busy: Option<Box<dyn Busy>>,
    ) -> Self {
        Self { incoming, source, _busy: busy }
    }
}

fn poll_data(
    incoming: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
    loop {
        match Pin::new(&mut *incoming).poll_frame(cx) {
            // Trailers could carry what is refused in headers.
            Poll::Ready(Some(Ok(frame))) if !frame.is_data() => {}
            other => return other,
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self { incoming, source, .. } = &mut *self;
        match source {
            Some(Source { link, .. }) => link.drive(cx, |cx| poll_data(incoming, cx)),
            None => poll_data(incoming, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if let (true, Some(source)) = (self.incoming.is_end_stream(), self.source.take()) {
            source.pool.put(&source.id, source.link);
        }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").finish_non_exhaustive()
    }
}
