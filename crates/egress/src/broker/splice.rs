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
}

/// One way.
#[derive(Default)]
struct Way {
    held: BytesMut,
    ended: bool,
    closed: bool,
}

impl Way {
    /// Passes what there is. Ready once the end was passed on, too.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Pin<&mut R>,
        mut to: Pin<&mut W>,
        mut moved: impl FnMut(usize),
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
                moved(n);
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
                let written = match to.as_mut().poll_write(cx, read) {
                    Poll::Ready(written) => written?,
                    Poll::Pending => 0,
                };
                moved(written);
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
    let mut up = Way { held: first, ..Way::default() };
    let mut down = Way::default();
    let mut last = Instant::now();
    let mut alarm = Box::pin(tokio::time::sleep(idle));
    poll_fn(|cx| {
        if cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Cut);
        }
        let mut any = false;
        let there = up.poll(cx, Pin::new(&mut inside), Pin::new(&mut outside), |n| {
            any = true;
            meter.up(n);
        });
        let back = down.poll(cx, Pin::new(&mut outside), Pin::new(&mut inside), |n| {
            any = true;
            meter.down(n);
        });
        if any {
            last = Instant::now();
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
