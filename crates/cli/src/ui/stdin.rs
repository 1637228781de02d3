//! Standard input without holding up anything else.
//!
//! A thread reads, because a read from a terminal cannot be cancelled; the process ends without
//! waiting for it.

use std::io::{self, BufRead, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

const PIECE: usize = 32 << 10;

/// Bytes as they come; the channel closes at the end of input or when it cannot be read.
pub(crate) fn pieces() -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = vec![0; PIECE];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) if sender.blocking_send(Bytes::copy_from_slice(&buffer[..n])).is_err() => {
                    return;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    receiver
}

/// Lines without their ends, one read ahead at the most.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
