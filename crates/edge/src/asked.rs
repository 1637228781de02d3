//! The body of a request as it comes in. While more of it is waited for it is the client's turn: whoever
//! begins a request and does not go on keeps no seat from others.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::crowd::{Beat, Reading};

/// The body of a request.
#[derive(Debug)]
pub struct Asked {
    body: Incoming,
    reading: Option<Reading>,
}

impl Asked {
    pub(crate) fn new(body: Incoming, beat: &Beat) -> Self {
        let reading = (!body.is_end_stream()).then(|| beat.reader());
        Self { body, reading }
    }
}

impl Body for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(reading) = &self.reading {
            reading.waits(polled.is_pending());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
