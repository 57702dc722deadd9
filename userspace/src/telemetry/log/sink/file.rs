//! A file that is appended to: put aside when it is too large, opened anew when somebody else has
//! put it aside, or after an error.

use crate::telemetry::log::counters::{LogCounters, LogEvent};
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long after an error it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Whoever runs the server writes, their group reads.
const MODE: u32 = 0o640;

/// The file of a log.
pub(super) struct LogFile {
    path: PathBuf,
    size_max: u64,
    keep: usize,
    open: Option<Open>,
    /// Whether it is to be opened anew, and not before when.
    is_stale: bool,
    not_before: Option<Instant>,
}

/// An open file.
struct Open {
    file: File,
    /// Its size; none where it has none, as a terminal.
    size: Option<u64>,
}

impl LogFile {
    /// Opens the file at `path`, or makes it. From `size_max` bytes on it is put aside, unless that
    /// is 0; `keep` of these are kept.
    pub(super) fn open(path: &Path, size_max: u64, keep: usize) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            size_max,
            keep,
            open: Some(Open::new(path)?),
            is_stale: false,
            not_before: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line: all of it or, with an error, nothing.
    pub(super) fn write(&mut self, line: &[u8], counters: &LogCounters) -> io::Result<()> {
        if self.open.is_none() || self.is_stale {
            self.try_open(counters)?;
        }
        self.make_room(line.len() as u64, counters);
        let Some(open) = &mut self.open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        open.append(line).inspect_err(|_| {
            self.open = None;
            self.not_before = Some(Instant::now() + RETRY_AFTER);
        })
    }

    /// Opens the file at the path anew, which may be another one by now. Where that fails, the old
    /// one goes on until it succeeds.
    pub(super) fn reopen(&mut self, counters: &LogCounters) -> io::Result<()> {
        self.is_stale = true;
        self.not_before = None;
        self.try_open(counters)
    }

    /// Opens it if it is time to; an error only where there is nothing to write to.
    fn try_open(&mut self, counters: &LogCounters) -> io::Result<()> {
        let is_time = self.not_before.is_none_or(|time| Instant::now() >= time);
        let opened = match is_time {
            true => Open::new(&self.path).inspect_err(|_| {
                counters.add(LogEvent::OpenErrors);
                self.not_before = Some(Instant::now() + RETRY_AFTER);
            }),
            false => Err(io::ErrorKind::WouldBlock.into()),
        };
        match opened {
            Ok(open) => {
                self.open = Some(open);
                self.is_stale = false;
                self.not_before = None;
                Ok(())
            }
            Err(_) if self.open.is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Puts the file aside where `len` more bytes are too many. Where that fails it grows, and it
    /// is tried again later.
    fn make_room(&mut self, len: u64, counters: &LogCounters) {
        let size = self.open.as_ref().and_then(|open| open.size);
        let is_full = size.is_some_and(|size| size > 0 && size + len > self.size_max);
        let is_time = self.not_before.is_none_or(|time| Instant::now() >= time);
        if self.size_max == 0 || !is_full || !is_time {
            return;
        }
        match self.put_aside() {
            Ok(true) => counters.add(LogEvent::Rotations),
            Ok(false) => {}
            Err(_) => {
                counters.add(LogEvent::OpenErrors);
                self.not_before = Some(Instant::now() + RETRY_AFTER);
            }
        }
    }

    /// PATH becomes PATH.1, that becomes PATH.2, and so on. False where another process has done
    /// it already: two write to one file while one replaces the other.
    fn put_aside(&mut self) -> io::Result<bool> {
        let ours = self.open.as_ref().map(|open| open.file.metadata());
        let ours = ours.transpose()?.map(|metadata| identity(&metadata));
        let is_ours = fs::metadata(&self.path).is_ok_and(|found| Some(identity(&found)) == ours);
        if is_ours {
            match self.keep {
                0 => fs::remove_file(&self.path)?,
                _ => self.shift()?,
            }
        }
        self.open = Some(Open::new(&self.path)?);
        Ok(is_ours)
    }

    fn shift(&self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            match fs::rename(self.aside(number), self.aside(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.aside(1))
    }

    /// The name of a file put aside so many times.
    fn aside(&self, number: usize) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        // Opening a pipe would wait for who reads it.
        let is_other = |metadata: &Metadata| {
            let kind = metadata.file_type();
            !kind.is_file() && !kind.is_char_device()
        };
        if fs::metadata(path).is_ok_and(|metadata| is_other(&metadata)) {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(MODE).open(path)?;
        let metadata = file.metadata()?;
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self { file, size })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(line);
        match (&written, &mut self.size) {
            (Ok(()), Some(size)) => *size += line.len() as u64,
            (Err(_), Some(size)) => {
                // A torn line goes, unless another process has written behind it.
                let torn = self.file.metadata().map_or(0, |metadata| metadata.len());
                if torn.saturating_sub(*size) < line.len() as u64 && torn > *size {
                    // Where that fails, a torn line is left.
                    let _ = self.file.set_len(*size);
                }
            }
            (_, None) => {}
        }
        written
    }
}

/// What makes two paths the same file.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of a test's own.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("ripples-log-file-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.0.join(name)).unwrap_or_default()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_that_would_get_too_large_is_put_aside_and_so_many_are_kept() {
        let (folder, counters) = (Folder::new("size"), LogCounters::default());
        let path = folder.0.join("log");
        fs::write(&path, "0\n").unwrap();
        let mut file = LogFile::open(&path, 6, 3).unwrap();
        for letter in b'a'..=b'l' {
            file.write(&[letter, b'\n'], &counters).unwrap();
        }
        let read = |name| folder.read(name);
        assert_eq!(read("log"), "l\n");
        assert_eq!(read("log.1"), "i\nj\nk\n");
        assert_eq!(read("log.2"), "f\ng\nh\n");
        assert_eq!(read("log.3"), "c\nd\ne\n");
        assert!(!folder.0.join("log.4").exists());
        assert_eq!(counters.get(LogEvent::Rotations), 4);
        // A line longer than all that is alone in its file.
        file.write(b"a long line\n", &counters).unwrap();
        file.write(b"x\n", &counters).unwrap();
        assert_eq!(
            (read("log"), read("log.1")),
            ("x\n".into(), "a long line\n".into())
        );
        let mut file = LogFile::open(&path, 3, 0).unwrap();
        file.write(b"y\n", &counters).unwrap();
        assert_eq!(
            (read("log"), read("log.1")),
            ("y\n".into(), "a long line\n".into())
        );
    }

    #[test]
    fn two_that_write_to_one_file_put_it_aside_once() {
        let (folder, counters) = (Folder::new("two"), LogCounters::default());
        let path = folder.0.join("log");
        let open = || LogFile::open(&path, 8, 3).unwrap();
        let (mut one, mut other) = (open(), open());
        for line in [b"1\n", b"2\n", b"3\n", b"4\n"] {
            one.write(line, &counters).unwrap();
        }
        one.write(b"5\n", &counters).unwrap();
        (0..4).for_each(|_| other.write(b"o\n", &counters).unwrap());
        other.write(b"p\n", &counters).unwrap();
        assert_eq!(folder.read("log"), "5\np\n");
        assert_eq!(folder.read("log.1"), "1\n2\n3\n4\no\no\no\no\n");
        assert_eq!(counters.get(LogEvent::Rotations), 1);
    }

    #[test]
    fn a_file_that_was_moved_is_written_until_it_is_opened_anew() {
        let (folder, counters) = (Folder::new("moved"), LogCounters::default());
        let path = folder.0.join("log");
        let mut file = LogFile::open(&path, 0, 0).unwrap();
        file.write(b"1\n", &counters).unwrap();
        fs::rename(&path, folder.0.join("old")).unwrap();
        file.write(b"2\n", &counters).unwrap();
        // Where the path cannot be opened, the old file goes on.
        fs::create_dir(&path).unwrap();
        file.reopen(&counters).unwrap();
        file.write(b"3\n", &counters).unwrap();
        assert_eq!(
            (folder.read("old"), counters.get(LogEvent::OpenErrors)),
            ("1\n2\n3\n".into(), 1)
        );
        fs::remove_dir(&path).unwrap();
        file.reopen(&counters).unwrap();
        file.write(b"4\n", &counters).unwrap();
        assert_eq!(
            (folder.read("old"), folder.read("log")),
            ("1\n2\n3\n".into(), "4\n".into())
        );
    }

    #[test]
    fn after_an_error_the_file_is_opened_anew_but_not_at_once() {
        let (folder, counters) = (Folder::new("error"), LogCounters::default());
        let path = folder.0.join("log");
        let mut file = LogFile::open(Path::new("/dev/full"), 0, 0).unwrap();
        file.path = path.clone();
        let error = file.write(b"1\n", &counters).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(file.write(b"2\n", &counters).is_err());
        assert!(!path.exists());
        file.not_before = Some(Instant::now());
        file.write(b"3\n", &counters).unwrap();
        assert_eq!(folder.read("log"), "3\n");
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = Folder::new("refused");
        for path in [
            folder.0.clone(),
            folder.0.join("no/such"),
            "/proc/nothing".into(),
        ] {
            assert!(LogFile::open(&path, 0, 0).is_err(), "{}", path.display());
        }
    }
}
