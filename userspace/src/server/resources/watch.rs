//! When files have changed, without anybody saying so: soon after the last of several changes, so
//! that what belongs together is read together.

use super::reading::CALM;
use crate::sys::inotify::{Folders, Followed, folders_of};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Whoever writes all the time does not put reading off for longer.
const PUT_OFF_MAX: Duration = Duration::from_secs(2);
/// How often files are looked at that nobody tells about.
const POLL: Duration = Duration::from_secs(5);

/// Watches the folders that files are in.
pub(super) struct Watch {
    /// None: nobody tells.
    folders: Option<Folders>,
    /// Whether all folders are watched.
    is_complete: bool,
    /// Whether it was said that they are not.
    has_complained: bool,
    times: Times,
}

impl Watch {
    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let folders = Folders::new()
            .inspect_err(|error| tracing::warn!(%error, "inotify cannot be used"))
            .ok();
        Self {
            folders,
            is_complete: false,
            has_complained: false,
            times: Times::default(),
        }
    }

    /// Watches for changes of these files, and in this folder.
    pub(super) fn follow<'f>(
        &mut self,
        files: impl Iterator<Item = &'f Path>,
        folder: Option<&Path>,
    ) {
        let mut wanted: BTreeSet<_> = folder.map(Path::to_owned).into_iter().collect();
        let mut known = BTreeSet::new();
        for file in files {
            // A hundred thousand files in one folder are no reason to look at it as often.
            let is_link = file.symlink_metadata().is_ok_and(|data| data.is_symlink());
            if is_link || known.insert(file.parent()) {
                wanted.extend(folders_of(file));
            }
        }
        let Some(folders) = &mut self.folders else {
            return;
        };
        let Followed { any_new, failed } = folders.watch(&wanted);
        if any_new {
            // Between reading the files and watching their folders anything may have happened.
            self.times.note(Instant::now());
        }
        self.is_complete = failed.is_empty();
        if let Some((path, error)) = failed.first()
            && !self.has_complained
        {
            self.has_complained = true;
            let (folder, count, poll) = (path.display(), failed.len(), POLL.as_secs());
            tracing::warn!(
                %folder, %error, count,
                "not watched: changes there are looked for every {poll} s"
            );
        }
        self.has_complained &= !self.is_complete;
    }

    /// Takes what has happened.
    pub(super) fn look(&mut self, now: Instant) -> io::Result<()> {
        let happened = match &mut self.folders {
            Some(folders) => folders.take_events()?,
            None => false,
        };
        if happened {
            self.times.note(now);
        }
        Ok(())
    }

    /// Something is to be looked at again soon.
    pub(super) fn again(&mut self, now: Instant) {
        self.times = Times::default();
        self.times.note(now);
    }

    /// How long there is nothing to do; none: until something happens.
    pub(super) fn rest(&self, now: Instant) -> Option<Duration> {
        let poll = (!self.is_complete).then_some(POLL);
        let due = self
            .times
            .due()
            .map(|due| due.saturating_duration_since(now));
        due.into_iter().chain(poll).min()
    }

    /// Whether it is time to look at the files. Says so once.
    pub(super) fn is_due(&mut self, now: Instant, last_look: Instant) -> bool {
        let is_told = self.times.due().is_some_and(|due| due <= now);
        let is_polled = !self.is_complete && now.duration_since(last_look) >= POLL;
        if is_told || is_polled {
            self.times = Times::default();
        }
        is_told || is_polled
    }
}

impl Watch {
    /// What is readable when something happens.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.folders.as_ref().map(AsFd::as_fd)
    }
}

/// When something happened that was not looked at yet: first and last.
#[derive(Clone, Copy, Debug, Default)]
struct Times(Option<(Instant, Instant)>);

impl Times {
    fn note(&mut self, now: Instant) {
        let first = self.0.map_or(now, |(first, _)| first);
        self.0 = Some((first, now));
    }

    /// When to look.
    fn due(&self) -> Option<Instant> {
        self.0
            .map(|(first, last)| (last + CALM).min(first + PUT_OFF_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_are_one_and_none_is_put_off_for_ever() {
        let start = Instant::now();
        let mut times = Times::default();
        assert_eq!(times.due(), None);
        times.note(start);
        assert_eq!(times.due(), Some(start + CALM));
        let mut now = start;
        while now < start + 3 * PUT_OFF_MAX {
            now += CALM / 2;
            times.note(now);
        }
        assert_eq!(times.due(), Some(start + PUT_OFF_MAX));
    }
}
