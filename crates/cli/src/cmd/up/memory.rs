//! How much of the machine's memory `up` keeps: what it needs, not what it needed once.

use std::time::Duration;

/// How often one looks whether something can be given back.
const EVERY: Duration = Duration::from_mins(1);
/// Growth since the last time that is worth a walk over everything that is free.
const WORTH: u64 = 4 << 20;

/// Has threads share their stores of free memory: as many as there are processors, which can work at once,
/// and not eight times as many. Before there is a second thread.
pub(super) fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let most = i32::try_from(processors.max(2)).unwrap_or(i32::MAX);
        #[expect(unsafe_code, reason = "mallopt(3) has no wrapper")]
        // SAFETY: it takes numbers, and whatever it answers the allocator goes on working.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, most);
        }
    }
}

/// Gives back what starting took, and from then on what anything took that is over: a snapshot, a crowd.
pub(super) async fn give_back() {
    let mut kept = 0;
    loop {
        if own().is_some_and(|now| now >= kept + WORTH) {
            // It holds up whoever asks for memory meanwhile, for milliseconds: not on a thread of theirs.
            let _ = tokio::task::spawn_blocking(trim).await;
            kept = own().unwrap_or(u64::MAX - WORTH);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Bytes in memory that are this process's alone.
fn own() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages =
        text.split_ascii_whitespace().skip(1).map_while(|word| word.parse::<u64>().ok());
    let (resident, shared) = (pages.next()?, pages.next()?);
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    Some(resident.saturating_sub(shared) * page)
}

fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "malloc_trim(3) has no wrapper")]
    // SAFETY: it may be called at any time and takes no pointer.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Much in small pieces with a piece that stays between them: what is freed lies in the middle of the
    /// heap, where nobody gives it back unasked.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn what_was_needed_once_is_given_back() {
        let mut pieces: Vec<Option<Box<[u8]>>> =
            (0..64_000).map(|_| Some(vec![1; 1000].into_boxed_slice())).collect();
        let full = own().unwrap();
        for (at, piece) in pieces.iter_mut().enumerate() {
            if at % 64 != 0 {
                *piece = None;
            }
        }
        trim();
        let left = own().unwrap();
        assert!(left + (32 << 20) < full, "{left} of {full} bytes are kept");
        assert!(pieces.iter().flatten().all(|piece| piece[0] == 1));
    }
}
