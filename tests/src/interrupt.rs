//! Ctrl-C and SIGTERM for programs that have something to tidy up: a flag to look at.

use nix::sys::signal::{SigSet, Signal};
use std::sync::atomic::{AtomicBool, Ordering};

/// Set when somebody wants the run to end.
static STOP: AtomicBool = AtomicBool::new(false);

/// Whether somebody wants the run to end.
pub fn is_interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Takes SIGINT and SIGTERM as a wish. To be called before the first thread, which inherits it.
pub fn take_signals() {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set.thread_block().expect("a valid set");
    std::thread::spawn(move || {
        set.wait().expect("a valid set");
        STOP.store(true, Ordering::Relaxed);
    });
}
