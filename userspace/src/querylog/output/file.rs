//! Files that are begun anew when they are long or old.

use super::super::counts::{QueryLogCounts, QueryLogEvent};
use super::super::json::time;
use super::Format;
use crate::sys::clock;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The level that zstd compresses with: its own default.
const LEVEL: i32 = 3;

/// Where files are, and how long one may get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The folder; it is made where it is missing.
    pub folder: PathBuf,
    /// What their names begin with.
    pub name: String,
    /// Bytes after which another one is begun; looked at after each write.
    pub rotate_size: u64,
    /// Time after which another one is begun.
    pub rotate_time: Option<Duration>,
    /// Whether they are compressed, by zstd.
    pub compress: bool,
}

/// The files of a query log.
pub(super) struct Files {
    options: FileOptions,
    format: Format,
    open: Option<OpenFile>,
}

struct OpenFile {
    file: File,
    path: PathBuf,
    len: u64,
    since: Instant,
}

impl Files {
    /// None is open yet.
    pub(super) fn new(options: FileOptions, format: Format) -> Self {
        Self {
            options,
            format,
            open: None,
        }
    }

    /// Appends whole entries. On an error nothing of them is left in the file.
    pub(super) fn write(&mut self, bytes: &[u8], counts: &QueryLogCounts) -> io::Result<()> {
        let compress = self.options.compress;
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let opened = OpenFile::create(&self.options, self.format).inspect_err(|_| {
                    counts.add(QueryLogEvent::OpenErrors, 1);
                })?;
                counts.add(QueryLogEvent::Opened, 1);
                none.insert(opened)
            }
        };
        open.append(bytes, compress).inspect_err(|_| {
            counts.add(QueryLogEvent::WriteErrors, 1);
        })?;
        if open.len >= self.options.rotate_size {
            self.close()?;
        }
        Ok(())
    }

    /// Ends a file that is old.
    pub(super) fn look(&mut self) -> io::Result<()> {
        let is_old = |open: &OpenFile| {
            let age = self.options.rotate_time;
            age.is_some_and(|age| open.since.elapsed() >= age)
        };
        match self.open.as_ref().is_some_and(is_old) {
            true => self.close(),
            false => Ok(()),
        }
    }

    /// Ends the file; what comes goes into another one.
    pub(super) fn close(&mut self) -> io::Result<()> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        let trailer = self.format.trailer();
        match trailer.is_empty() {
            true => Ok(()),
            false => open.append(&trailer, self.options.compress),
        }
    }

    /// The folder, or the file that is open.
    pub(super) fn path(&self) -> PathBuf {
        let open = self.open.as_ref().map(|open| open.path.clone());
        open.unwrap_or_else(|| self.options.folder.clone())
    }
}

impl OpenFile {
    fn create(options: &FileOptions, format: Format) -> io::Result<Self> {
        fs::create_dir_all(&options.folder)?;
        let (name, time) = (&options.name, time(clock::unix_time_ns()));
        let suffix = if options.compress { ".zst" } else { "" };
        let file = format!("{name}-{time}.{}{suffix}", format.extension());
        let path = options.folder.join(file);
        let mut open = Self {
            file: File::create_new(&path)?,
            path,
            len: 0,
            since: Instant::now(),
        };
        let header = format.header();
        if !header.is_empty()
            && let Err(error) = open.append(&header, options.compress)
        {
            // An empty file says nothing, and the next attempt makes another one.
            let _ = fs::remove_file(&open.path);
            return Err(error);
        }
        Ok(open)
    }

    /// Appends, as a frame of its own if compressed: each can be read when it has been written.
    fn append(&mut self, bytes: &[u8], compress: bool) -> io::Result<()> {
        let written = match compress {
            true => self.write(&zstd::bulk::compress(bytes, LEVEL)?),
            false => self.write(bytes),
        };
        if written.is_err() {
            // Half an entry would spoil what comes behind it.
            let _ = self.file.set_len(self.len);
            let _ = self.file.seek(io::SeekFrom::Start(self.len));
        }
        written
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}
