//! What is to be done when the process ends by itself.

#![expect(unsafe_code, reason = "atexit(3) has no safe wrapper")]

use nix::libc;
use std::io;

/// Calls `work` when the process ends by returning from `main` or by `std::process::exit`.
pub fn at_exit(work: extern "C" fn()) -> io::Result<()> {
    // SAFETY: `work` is safe code that lives as long as the process (atexit(3)).
    match unsafe { libc::atexit(work) } {
        0 => Ok(()),
        _ => Err(io::ErrorKind::OutOfMemory.into()),
    }
}
