//! Bytes both ways between a box and a host. A connection over which nothing passes holds no buffer:
//! what is read is written at once, and only what the other end does not take is kept.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use smartbox_core::BoxFuture;
use smartbox_core::egress::Way;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::meter::Meter;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;
/// Pieces that one way passes before the other has its turn.
const TURN: usize = 8;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; PIECE].into());
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By either end.
    Closed,
    /// Nothing passed for too long.
    Idle,
    /// It is no longer allowed.
    Cut,
    /// The bytes of the day are used up; the meter wrote it down.
    Spent,
}

/// One way.
struct One {
    way: Way,
    held: BytesMut,
    ended: bool,
    closed: bool,
    /// Something went on since this was looked at.
    moved: bool,
}

impl One {
    fn new(way: Way, held: BytesMut) -> Self {
        Self { way, held, ended: false, closed: false, moved: false }
    }

    /// Passes what there is, as far as the meter lets it. Ready once the end was passed on, too.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Pin<&mut R>,
        mut to: Pin<&mut W>,
        meter: &mut Meter,
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + ?Sized,
        W: AsyncWrite + ?Sized,
    {
        if self.closed {
            return Poll::Ready(Ok(()));
        }
        for _ in 0..TURN {
            while !self.held.is_empty() {
                let n = ready!(to.as_mut().poll_write(cx, &self.held))?;
                if n == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.moved = true;
                self.held.advance(n);
            }
            self.held = BytesMut::new();
            if self.ended {
                ready!(to.as_mut().poll_shutdown(cx))?;
                self.closed = true;
                return Poll::Ready(Ok(()));
            }
            let read = BUFFER.with_borrow_mut(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                ready!(from.as_mut().poll_read(cx, &mut buffer))?;
                let read = buffer.filled();
                if read.is_empty() {
                    return Poll::Ready(Ok(0));
                }
                self.moved = true;
                let may = meter.pass(self.way, read.len());
                if may < read.len() {
                    // The last that may pass; what of it is not taken at once is lost with the rest.
                    let _ = to.as_mut().poll_write(cx, &read[..may])?;
                    return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
                }
                let written = match to.as_mut().poll_write(cx, read) {
                    Poll::Ready(written) => written?,
                    Poll::Pending => 0,
                };
                self.held.extend_from_slice(&read[written..]);
                Poll::Ready(io::Result::Ok(read.len()))
            });
            let n = match read {
                Poll::Ready(n) => n?,
                Poll::Pending => {
                    // What was written before may wait in the other end's own buffer.
                    let _ = to.as_mut().poll_flush(cx)?;
                    return Poll::Pending;
                }
            };
            self.ended = n == 0;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Passes bytes until both ends are done, or `cut` ends, or nothing passes for `idle`. `first` was read
/// from the box already.
pub(crate) async fn splice<B, H>(
    (mut inside, first): (B, BytesMut),
    mut outside: H,
    mut meter: Meter,
    mut cut: BoxFuture<'static, ()>,
    idle: Duration,
) -> End
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    if meter.pass(Way::Up, first.len()) < first.len() {
        return End::Spent;
    }
    let (mut up, mut down) = (One::new(Way::Up, first), One::new(Way::Down, BytesMut::new()));
    let mut last = Instant::now();
    let mut alarm = Box::pin(tokio::time::sleep(idle));
    poll_fn(|cx| {
        if cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Cut);
        }
        let there = up.poll(cx, Pin::new(&mut inside), Pin::new(&mut outside), &mut meter);
        let back = down.poll(cx, Pin::new(&mut outside), Pin::new(&mut inside), &mut meter);
        if std::mem::take(&mut up.moved) | std::mem::take(&mut down.moved) {
            last = Instant::now();
        }
        if meter.is_spent() {
            return Poll::Ready(End::Spent);
        }
        match (there, back) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => return Poll::Ready(End::Closed),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(End::Closed),
            _ => {}
        }
        while alarm.as_mut().poll(cx).is_ready() {
            if last.elapsed() >= idle {
                return Poll::Ready(End::Idle);
            }
            alarm.as_mut().reset(last + idle);
        }
        Poll::Pending
    })
    .await
}
