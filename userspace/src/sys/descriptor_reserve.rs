//! A descriptor for when connections have taken all others.

use nix::errno::Errno;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

/// A descriptor in reserve: given up, it lets a call succeed that needs one when there is no other.
/// Clones share it.
#[derive(Clone, Debug)]
pub struct Reserve(Arc<Mutex<Option<OwnedFd>>>);

impl Reserve {
    /// One that is filled, where there is a descriptor for it.
    pub fn full() -> Self {
        Self(Arc::new(Mutex::new(open())))
    }

    /// Fills it again, where it is empty and there is a descriptor for it.
    pub fn fill(&self) {
        self.keep_or(open);
    }

    /// Keeps a descriptor that would be closed, where the reserve is empty: once it is closed, it
    /// may be somebody else's before the reserve is filled.
    pub fn keep(&self, descriptor: OwnedFd) {
        self.keep_or(|| Some(descriptor));
    }

    /// Does `work`, and once more without the reserve if it fails for want of a descriptor. Whoever
    /// is faster may have taken the one that was in reserve: then it has failed twice.
    pub fn spend<T>(&self, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match work() {
            Err(error) if is_exhausted(&error) && self.take().is_some() => work(),
            done => done,
        }
    }

    fn take(&self) -> Option<OwnedFd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep_or(&self, new: impl FnOnce() -> Option<OwnedFd>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = new();
        }
    }
}

fn open() -> Option<OwnedFd> {
    File::open("/dev/null").ok().map(OwnedFd::from)
}

/// Whether an error says that the process or the system has no descriptor left.
pub fn is_exhausted(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EMFILE | Errno::ENFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_spent_only_where_there_is_no_other_descriptor() {
        let exhausted = || io::Error::from(Errno::EMFILE);
        let reserve = Reserve::full();
        assert_eq!(reserve.spend(|| Ok(1)).unwrap(), 1);
        let refused = reserve.spend(|| Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut outcomes = [Err(exhausted()), Ok(2)].into_iter();
        assert_eq!(reserve.spend(|| outcomes.next().unwrap()).unwrap(), 2);
        // It is gone now, until it is filled again.
        let mut outcomes = [Err(exhausted()), Ok(3)].into_iter();
        assert!(is_exhausted(
            &reserve.spend(|| outcomes.next().unwrap()).unwrap_err()
        ));
        reserve.fill();
        assert_eq!(reserve.spend(|| outcomes.next().unwrap()).unwrap(), 3);
        // Somebody else's descriptor does as well, and only one is kept.
        let mut outcomes = [Err(exhausted()), Ok(4), Err(exhausted())].into_iter();
        for _ in 0..2 {
            reserve.clone().keep(open().unwrap());
        }
        assert_eq!(reserve.spend(|| outcomes.next().unwrap()).unwrap(), 4);
        assert!(reserve.spend(|| outcomes.next().unwrap()).is_err());
    }
}
