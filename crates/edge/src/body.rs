//! The body of what the edge answers: its own few bytes, or the engine's stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use crate::proxy::Download;

/// The body of a response of the edge.
#[derive(Debug)]
pub struct EdgeBody(Kind);

#[derive(Debug)]
enum Kind {
    Own(Full<Bytes>),
    Engine(Download),
}

impl EdgeBody {
    pub(crate) fn own(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Own(Full::new(bytes.into())))
    }

    pub(crate) fn engine(download: Download) -> Self {
        Self(Kind::Engine(download))
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Kind::Own(full) => Pin::new(full)
                .poll_frame(cx)
                .map_err(|never: std::convert::Infallible| match never {}),
            Kind::Engine(download) => Pin::new(download).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(full) => full.is_end_stream(),
            Kind::Engine(download) => download.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(full) => full.size_hint(),
            Kind::Engine(download) => download.size_hint(),
        }
    }
}
