//! Sleeping until something is to be read.

use arrayvec::ArrayVec;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_timerslack;
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Sleeps until one of `fds` can be read or has failed, or `timeout` has passed; says which ones.
///
/// A signal handler ends the sleep early, with none. On an AF_XDP socket this is a wake-up of the
/// kernel as well, for transmission and for the fill ring (net/xdp/xsk.c, `xsk_poll`).
pub fn readable<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    match ppoll(&mut polled, timeout.map(TimeSpec::from_duration), None) {
        // Errors and hang-ups count too: the reader learns of them from its next call.
        Ok(_) => Ok(polled.map(|fd| fd.any().unwrap_or(true))),
        Err(Errno::EINTR) => Ok([false; N]),
        Err(error) => Err(error.into()),
    }
}

/// Most descriptors that `any_readable` looks at.
const ANY_MAX: usize = 256;

/// As `readable`, for as many descriptors as there are; says whether the first is one of them.
pub fn any_readable<'f>(
    fds: impl IntoIterator<Item = BorrowedFd<'f>>,
    timeout: Duration,
) -> io::Result<bool> {
    let fds = fds
        .into_iter()
        .take(ANY_MAX)
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let mut polled: ArrayVec<_, ANY_MAX> = fds.collect();
    match ppoll(&mut polled, Some(TimeSpec::from_duration(timeout)), None) {
        Ok(_) => Ok(polled.first().is_some_and(|fd| fd.any().unwrap_or(true))),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Lets the calling thread's sleeps end when they should: Linux may add 50 µs to each, to end
/// several at once (PR_SET_TIMERSLACK(2const)).
pub fn keep_time_exactly() -> io::Result<()> {
    Ok(set_timerslack(1)?)
}

/// Sleeps for `duration`, for those who have nothing to wait on.
pub fn pause(duration: Duration) {
    // Fails on a signal at worst, and whoever pauses looks again anyway.
    let _ = ppoll(&mut [], Some(TimeSpec::from_duration(duration)), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::waker::Waker;
    use std::os::fd::AsFd;

    const SOON: Option<Duration> = Some(Duration::from_micros(50));

    #[test]
    fn says_which_descriptor_is_readable() {
        let (one, other) = (Waker::new().unwrap(), Waker::new().unwrap());
        let wait = || readable([one.as_fd(), other.as_fd()], SOON).unwrap();
        assert_eq!(wait(), [false, false]);
        other.clone().wake().unwrap();
        other.wake().unwrap();
        assert_eq!(wait(), [false, true]);
        assert!(other.clear().unwrap());
        assert!(!other.clear().unwrap());
        assert_eq!(wait(), [false, false]);
    }

    #[test]
    fn says_whether_the_first_of_many_is_readable() {
        let (one, other) = (Waker::new().unwrap(), Waker::new().unwrap());
        let wait = || any_readable([one.as_fd(), other.as_fd()], Duration::from_millis(1)).unwrap();
        assert!(!wait());
        other.wake().unwrap();
        assert!(!wait());
        one.wake().unwrap();
        assert!(wait());
    }

    #[test]
    fn a_thread_that_keeps_time_exactly_has_no_slack() {
        std::thread::spawn(|| {
            keep_time_exactly().unwrap();
            assert_eq!(nix::sys::prctl::get_timerslack(), Ok(1));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_sleeper_is_woken_by_another_thread() {
        let waker = Waker::new().unwrap();
        let sleeper = waker.clone();
        let thread = std::thread::spawn(move || readable([sleeper.as_fd()], None).unwrap());
        waker.wake().unwrap();
        assert_eq!(thread.join().unwrap(), [true]);
    }
}
