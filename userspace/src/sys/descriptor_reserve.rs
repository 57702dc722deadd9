//! A descriptor for when connections have taken all others.

use nix::errno::Errno;
use std::fs::File;
use std::io;

/// A descriptor in reserve: given up, it lets a call succeed that needs one when there is no other.
#[derive(Debug)]
pub struct Reserve(Option<File>);

impl Reserve {
    /// One that is filled, where there is a descriptor for it.
    pub fn full() -> Self {
        Self(open())
    }

    /// Fills it again, where it is empty and there is a descriptor for it.
    pub fn fill(&mut self) {
        if self.0.is_none() {
            self.0 = open();
        }
    }

    /// Does `work`, and once more without the reserve if it fails for want of a descriptor. Whoever
    /// is faster may have taken the one that was in reserve: then it has failed twice.
    pub fn spend<T>(&mut self, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match work() {
            Err(error) if is_exhausted(&error) && self.0.take().is_some() => work(),
            done => done,
        }
    }
}

fn open() -> Option<File> {
    File::open("/dev/null").ok()
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
        let mut reserve = Reserve::full();
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
    }
}
