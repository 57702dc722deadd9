//! Signals, read like messages instead of interrupting whatever runs.

use nix::sys::signal::{SigSet, Signal as Number};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// What a signal asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: drain and leave.
    Stop,
    /// SIGHUP: read zones and configuration again.
    Reload,
}

/// The signals that the server understands, as a descriptor to poll.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks the signals in the calling thread and opens the descriptor to read them from.
    ///
    /// Threads inherit the block, so this comes before the first of them: one that does not have it
    /// would be killed by the signal.
    pub fn block() -> io::Result<Self> {
        let set = signals();
        set.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Self(SignalFd::with_flags(&set, flags)?))
    }

    /// The next waiting signal. Never blocks.
    pub fn next(&self) -> io::Result<Option<Signal>> {
        let Some(info) = self.0.read_signal()? else {
            return Ok(None);
        };
        let number = i32::try_from(info.ssi_signo).ok();
        Ok(Some(match number.and_then(|n| Number::try_from(n).ok()) {
            Some(Number::SIGHUP) => Signal::Reload,
            _ => Signal::Stop,
        }))
    }
}

/// Leaves the signals to whoever reads them, in a thread that has begun before they were blocked.
pub fn leave_to_others() {
    // Fails for numbers that are none.
    let _ = signals().thread_block();
}

fn signals() -> SigSet {
    let mut set = SigSet::empty();
    for number in [Number::SIGTERM, Number::SIGINT, Number::SIGHUP] {
        set.add(number);
    }
    set
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::raise;

    #[test]
    fn a_signal_is_a_message() {
        // In a thread of its own: the block must not leak into the other tests.
        std::thread::spawn(|| {
            let signals = Signals::block().unwrap();
            assert_eq!(signals.next().unwrap(), None);
            for (number, meaning) in [
                (Number::SIGHUP, Signal::Reload),
                (Number::SIGTERM, Signal::Stop),
                (Number::SIGINT, Signal::Stop),
            ] {
                raise(number).unwrap();
                assert_eq!(signals.next().unwrap(), Some(meaning));
            }
            assert_eq!(signals.next().unwrap(), None);
        })
        .join()
        .unwrap();
    }
}
