//! What a file looked like when it was read: whether it has changed, without reading it again.

use crate::sys::wait;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The kernel notes the time of a change by its tick, 10 ms at most (fs/inode.c,
/// `current_time`): two changes within one look the same.
const TICK: Duration = Duration::from_millis(20);

/// What `stat` says of a file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
    /// The inode's own change: also where somebody set the time of modification back.
    changed_ns: i128,
    is_regular: bool,
}

impl Stamp {
    /// The stamp of a file as it is now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::from(&metadata))
    }

    /// Whether the file was changed within `duration` before `now`.
    pub(super) fn is_younger_than(&self, duration: Duration, now: SystemTime) -> bool {
        let now_ns = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        let age_ns = i128::try_from(now_ns).unwrap_or(i128::MAX) - self.changed_ns;
        // A clock that was set back makes files of the future: they are as old as they will get.
        (0..i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)).contains(&age_ns)
    }

    /// Whether there is more to it than to read it: a pipe would block, and be empty afterwards.
    pub(super) fn is_regular(&self) -> bool {
        self.is_regular
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            is_regular: metadata.is_file(),
        }
    }
}

/// The files that something was read from, as they were then.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps(Vec<(PathBuf, Seen)>);

/// How a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    As(Stamp),
    Missing,
    /// It was written while it was read.
    Unsettled,
}

impl Seen {
    fn now(path: &Path) -> Self {
        Stamp::of(path).map_or(Self::Missing, Self::As)
    }
}

impl Stamps {
    /// Of the file that is to be read next. Waits until nothing that happens to it from now on
    /// could look like nothing.
    pub(super) fn before(path: &Path) -> Self {
        Self(vec![(path.to_owned(), settled(path))])
    }

    /// Adds files that were read since `started`: where one has changed meanwhile, nobody knows
    /// what was read.
    pub(super) fn add_read(&mut self, files: &[PathBuf], started: SystemTime) {
        for path in files {
            if self.0.iter().any(|(known, _)| known == path) {
                continue;
            }
            let since = started.elapsed().unwrap_or_default() + TICK;
            let seen = match Seen::now(path) {
                Seen::As(stamp) if stamp.is_younger_than(since, SystemTime::now()) => {
                    Seen::Unsettled
                }
                seen => seen,
            };
            self.0.push((path.clone(), seen));
        }
    }

    /// Whether one of the files is another than it was.
    pub(super) fn have_changed(&self) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|(path, seen)| match seen {
                Seen::As(stamp) if !stamp.is_regular => true,
                Seen::Unsettled => true,
                seen => Seen::now(path) != *seen,
            })
    }

    /// Whether one of the files was changed so lately that somebody may still be at it.
    pub(super) fn are_moving(&self, calm: Duration) -> bool {
        let now = SystemTime::now();
        let stamps = self.0.iter().filter_map(|(path, _)| Stamp::of(path).ok());
        stamps
            .into_iter()
            .any(|stamp| stamp.is_younger_than(calm, now))
    }

    /// Whether all of them are files that can be read again at any time.
    pub(super) fn are_regular(&self) -> bool {
        let mut stamps = self.0.iter().filter_map(|(path, _)| Stamp::of(path).ok());
        stamps.all(|stamp| stamp.is_regular())
    }

    /// The files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(path, _)| path.as_path())
    }
}

/// A file whose last change lies a tick back.
fn settled(path: &Path) -> Seen {
    match Seen::now(path) {
        Seen::As(stamp) if stamp.is_younger_than(TICK, SystemTime::now()) => {
            wait::pause(TICK);
            Seen::now(path)
        }
        seen => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_file_has_changed_when_it_was_written_replaced_or_removed() {
        let folder = std::env::temp_dir().join(format!("ripples-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (path, other) = (folder.join("a"), folder.join("b"));
        let changes: [&dyn Fn(); 5] = [
            &|| fs::write(&path, "two").unwrap(),
            &|| {
                fs::write(&other, "two").unwrap();
                fs::rename(&other, &path).unwrap();
            },
            &|| {
                fs::write(&path, "six").unwrap();
                let file = File::options().write(true).open(&path).unwrap();
                file.set_modified(UNIX_EPOCH).unwrap();
            },
            &|| fs::remove_file(&path).unwrap(),
            &|| fs::write(&path, "one").unwrap(),
        ];
        fs::write(&path, "one").unwrap();
        for change in changes {
            let stamps = Stamps::before(&path);
            assert!(!stamps.have_changed());
            change();
            assert!(stamps.have_changed());
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_changed_while_it_was_read_counts_as_changed() {
        let folder = std::env::temp_dir().join(format!("ripples-include-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (old, new) = (folder.join("old"), folder.join("new"));
        fs::write(&old, "old").unwrap();
        wait::pause(2 * TICK);
        let started = SystemTime::now();
        let mut stamps = Stamps::before(&old);
        stamps.add_read(std::slice::from_ref(&old), started);
        assert!(!stamps.have_changed());
        fs::write(&new, "new").unwrap();
        stamps.add_read(std::slice::from_ref(&new), started);
        assert!(stamps.have_changed());
        assert!(stamps.are_moving(Duration::from_secs(60)));
        fs::remove_dir_all(folder).unwrap();
    }
}
