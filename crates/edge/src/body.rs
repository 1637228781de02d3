//! The body of what the edge answers: its own few bytes, or the engine's stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use crate::proxy::Download;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a response of the edge.
#[derive(Debug)]
pub struct EdgeBody(Kind);

#[derive(Debug)]
enum Kind {
    Own(Full<Bytes>),
    Engine(Download),
    Watched(Box<Watched>),
}

/// The engine's stream, for as long as its asker may have it.
struct Watched {
    download: Option<Download>,
    shut_out: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl EdgeBody {
    pub(crate) fn own(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Own(Full::new(bytes.into())))
    }

    pub(crate) fn engine(download: Download) -> Self {
        Self(Kind::Engine(download))
    }

    /// Broken off once this ends.
    pub(crate) fn until(self, shut_out: impl Future<Output = ()> + Send + 'static) -> Self {
        match self.0 {
            Kind::Engine(download) => Self(Kind::Watched(Box::new(Watched {
                download: Some(download),
                shut_out: Box::pin(shut_out),
            }))),
            kind => Self(kind),
        }
    }
}

impl Watched {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, AnyError>>> {
        let Some(download) = &mut self.download else { return Poll::Ready(None) };
        if self.shut_out.as_mut().poll(cx).is_ready() {
            // The engine hears that nobody takes the rest.
            self.download = None;
            // An error, so that nobody takes what came for all there is.
            return Poll::Ready(Some(Err("its asker may not have the rest".into())));
        }
        Pin::new(download).poll_frame(cx).map_err(Into::into)
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = AnyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnyError>>> {
        match &mut self.0 {
            Kind::Own(full) => Pin::new(full).poll_frame(cx).map_err(Into::into),
            Kind::Engine(download) => Pin::new(download).poll_frame(cx).map_err(Into::into),
            Kind::Watched(watched) => watched.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(full) => full.is_end_stream(),
            Kind::Engine(download) => download.is_end_stream(),
            Kind::Watched(watched) => watched.download.as_ref().is_none_or(Download::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(full) => full.size_hint(),
            Kind::Engine(download) => download.size_hint(),
            Kind::Watched(watched) => {
                watched.download.as_ref().map_or_else(SizeHint::default, Download::size_hint)
            }
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("download", &self.download).finish_non_exhaustive()
    }
}
