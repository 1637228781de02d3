//! The name service of a box. Nothing is ever looked up for it, so that no name carries anything out: a
//! name that the policy allows at some port gets an address that stands for it, and no other name is
//! known.
//!
//! ```text
//! a question ─► one name, asked for plainly? ─► who may (core::egress::decide_name)
//!    A, allowed   ─► its stand-in of this box (198.18.0.0/15), which `CONNECT` turns back into the name
//!    AAAA, others ─► no data
//!    not allowed  ─► there is no such name; written down, with bounds
//! ```

mod answer;
mod pace;
mod stand_ins;
mod told;

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::Conn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_util::compat::FuturesAsyncReadCompatExt as _;

pub(super) use pace::Pace;
pub(super) use stand_ins::StandIns;
pub(super) use told::Told;

use super::Inner;

/// Connections of one box at once: a question is answered at once, so that few are enough.
pub(super) const CONNECTIONS: usize = 128;
/// The longest question. One name and what EDNS adds has some hundred bytes.
const LONGEST: u16 = 4_096;
/// How long a connection may be silent or leave an answer lying (RFC 7766, 6.2.3).
const IDLE: Duration = Duration::from_secs(30);

/// Answers the questions of one connection, one after the other, until it closes or says what is no
/// question.
pub(super) async fn serve(inner: Arc<Inner>, id: SmartboxId, conn: Conn) {
    let Some(_place) = inner.asking.enter(&id) else { return };
    let mut conn = conn.compat();
    let mut question = Vec::new();
    loop {
        let length = match timeout(IDLE, conn.read_u16()).await {
            Ok(Ok(length @ 1..=LONGEST)) => length,
            _ => return,
        };
        question.resize(usize::from(length), 0);
        let Ok(Ok(_)) = timeout(IDLE, conn.read_exact(&mut question)).await else { return };
        inner.pace.keep(&id).await;
        let Some(answer) = answer::answer(&inner, &id, &question).await else { return };
        let Ok(length) = u16::try_from(answer.len()) else { return };
        let framed = [&length.to_be_bytes()[..], &answer].concat();
        let sent = async {
            conn.write_all(&framed).await?;
            conn.flush().await
        };
        let Ok(Ok(())) = timeout(IDLE, sent).await else { return };
    }
}
