//! Gives memory back. A large home takes a hundred megabytes while it is read, from whichever thread that
//! is at the time; what each of them keeps would add up.

/// Fewer things take too little to be worth it.
pub(crate) const LARGE: usize = 20_000;

/// Gives what is free back to the kernel.
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "malloc_trim(3) has no wrapper")]
    // SAFETY: it may be called at any time and takes no pointer.
    unsafe {
        libc::malloc_trim(0);
    }
}
