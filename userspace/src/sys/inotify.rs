//! Being told when something happens in a folder.

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// What may change a file for whoever reads it by its name: it was written to its end, something
/// took its place or its name, its rights changed; or its folder went (inotify(7)).
const EVENTS: AddWatchFlags = AddWatchFlags::IN_CLOSE_WRITE
    .union(AddWatchFlags::IN_CREATE)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_ONLYDIR);

/// After these a watch looks at nothing any more, or at something of another name.
const LOST: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_IGNORED)
    .union(AddWatchFlags::IN_UNMOUNT);

/// Folders that are watched.
#[derive(Debug)]
pub struct Folders {
    inotify: Inotify,
    watched: BTreeMap<PathBuf, WatchDescriptor>,
}

/// What came of watching folders.
#[derive(Debug, Default)]
pub struct Followed {
    /// Whether there are some that were not watched before: nobody knows what happened there.
    pub any_new: bool,
    /// Those that cannot be watched.
    pub failed: Vec<(PathBuf, io::Error)>,
}

impl Folders {
    /// Watches none yet.
    pub fn new() -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        Ok(Self {
            inotify,
            watched: BTreeMap::new(),
        })
    }

    /// Watches exactly these folders from now on; says what came of it.
    pub fn watch(&mut self, wanted: &BTreeSet<PathBuf>) -> Followed {
        let (inotify, watched) = (&self.inotify, &mut self.watched);
        let gone: Vec<_> = watched
            .extract_if(.., |path, _| !wanted.contains(path))
            .map(|(_, descriptor)| descriptor)
            .collect();
        // Two names of one folder have one descriptor.
        for descriptor in gone {
            if !watched.values().any(|&kept| kept == descriptor) {
                // It fails where the folder is gone, and then so is the watch.
                let _ = inotify.rm_watch(descriptor);
            }
        }
        let mut followed = Followed::default();
        for path in wanted {
            if watched.contains_key(path) {
                continue;
            }
            match inotify.add_watch(path, EVENTS) {
                Ok(descriptor) => {
                    watched.insert(path.clone(), descriptor);
                    followed.any_new = true;
                }
                Err(error) => followed.failed.push((path.clone(), error.into())),
            }
        }
        followed
    }

    /// Takes all that has happened; whether there was anything. Folders that are another or none
    /// now are watched anew by the next `watch`.
    pub fn take_events(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            let events = match self.inotify.read_events() {
                Ok(events) => events,
                Err(Errno::EAGAIN) => return Ok(any),
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in events {
                any = true;
                if event.mask.intersects(LOST) {
                    let (inotify, lost) = (&self.inotify, event.wd);
                    let had = self.watched.len();
                    self.watched.retain(|_, &mut descriptor| descriptor != lost);
                    if had != self.watched.len() && !event.mask.contains(AddWatchFlags::IN_IGNORED)
                    {
                        let _ = inotify.rm_watch(lost);
                    }
                }
            }
        }
    }
}

impl AsFd for Folders {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Where something must happen for `file` to become another one: its folder; those of the symbolic
/// links on the way to it; and that of the file that it leads to.
pub fn folders_of(file: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    if let Some(folder) = absolute.parent() {
        folders.insert(folder.to_owned());
    }
    for step in absolute.ancestors() {
        let is_link = step.symlink_metadata().is_ok_and(|data| data.is_symlink());
        if let Some(folder) = step.parent().filter(|_| is_link) {
            folders.insert(folder.to_owned());
        }
    }
    let real = absolute.canonicalize();
    if let Some(folder) = real.as_deref().ok().and_then(Path::parent) {
        folders.insert(folder.to_owned());
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ripples-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder.canonicalize().unwrap()
    }

    #[test]
    fn whatever_makes_a_file_another_one_is_told_and_reading_is_not() {
        let place = folder("inotify");
        let (file, draft) = (place.join("file"), place.join("draft"));
        fs::write(&file, "one").unwrap();
        let mut folders = Folders::new().unwrap();
        let wanted = BTreeSet::from([place.clone()]);
        assert!(folders.watch(&wanted).any_new);
        assert!(!folders.watch(&wanted).any_new);
        assert!(!folders.take_events().unwrap());
        fs::read(&file).unwrap();
        assert!(!folders.take_events().unwrap());
        let changes: [&dyn Fn(); 4] = [
            &|| fs::write(&file, "two").unwrap(),
            &|| fs::write(&draft, "two").unwrap(),
            &|| fs::rename(&draft, &file).unwrap(),
            &|| fs::remove_file(&file).unwrap(),
        ];
        for change in changes {
            change();
            assert!(folders.take_events().unwrap());
            assert!(!folders.take_events().unwrap());
        }
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_folder_that_another_one_replaces_is_watched_anew() {
        let place = folder("replaced");
        let (inner, old) = (place.join("inner"), place.join("old"));
        fs::create_dir(&inner).unwrap();
        let mut folders = Folders::new().unwrap();
        let wanted = BTreeSet::from([inner.clone()]);
        folders.watch(&wanted);
        fs::rename(&inner, &old).unwrap();
        fs::create_dir(&inner).unwrap();
        assert!(folders.take_events().unwrap());
        assert!(folders.watch(&wanted).any_new);
        fs::write(old.join("file"), "").unwrap();
        assert!(!folders.take_events().unwrap());
        fs::write(inner.join("file"), "").unwrap();
        assert!(folders.take_events().unwrap());
        let missing = BTreeSet::from([place.join("missing")]);
        assert_eq!(folders.watch(&missing).failed.len(), 1);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_file_behind_links_changes_in_several_folders() {
        let place = folder("links");
        fs::create_dir(place.join("real")).unwrap();
        fs::create_dir(place.join("other")).unwrap();
        fs::write(place.join("real/file"), "").unwrap();
        symlink("real", place.join("current")).unwrap();
        symlink("../real/file", place.join("other/file")).unwrap();
        let names = |path: &str| -> Vec<String> {
            let folders = folders_of(&place.join(path));
            let names = folders
                .iter()
                .map(|folder| folder.strip_prefix(&place).unwrap());
            names.map(|name| name.display().to_string()).collect()
        };
        assert_eq!(names("real/file"), ["real"]);
        assert_eq!(names("current/file"), ["", "current", "real"]);
        assert_eq!(names("other/file"), ["other", "real"]);
        assert_eq!(names("real/missing"), ["real"]);
        fs::remove_dir_all(place).unwrap();
    }
}
