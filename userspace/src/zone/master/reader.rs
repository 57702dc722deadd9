//! Reads files entry by entry and follows `$INCLUDE`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::lexer::Lexer;
use super::owner::{Origin, Owner};
use super::source::Source;
use super::variant::Variants;
use crate::name::NameBuf;
use crate::zone::error::Problems;
use crate::zone::progress::Effort;
use crate::zone::progress::Progress;
use crate::zone::records::{Builder, Full, Lines, ZoneRecords};

/// How deep files may include each other.
const INCLUDE_DEPTH_MAX: usize = 32;

/// A window for several threads is so much longer: starting them takes its time.
const WINDOWS_PER_THREAD: usize = 4;

/// A window is no shorter unless a test wants it to be: not every file says how long it is.
const WINDOW_LEN_MIN: usize = 4 << 10;

/// Reads one zone.
pub(super) struct Reader<'w> {
    /// The zone's origin in wire form with small letters.
    pub(super) zone: NameBuf,
    pub(super) builder: Builder,
    pub(super) problems: Problems,
    /// The TTL that `$TTL` set.
    pub(super) default_ttl: Option<u32>,
    /// The TTL that a record had last.
    pub(super) last_ttl: Option<u32>,
    /// The record data that is being read.
    pub(super) rdata: Vec<u8>,
    /// How much of a file each thread is given at once.
    pub(super) window_len: usize,
    /// How many threads read.
    pub(super) threads: usize,
    /// How many windows could not be read by all of them to the end.
    pub(super) refused_count: u32,
    /// What stands behind `$VARIANT`; none in a chunk, which cannot have any.
    pub(super) variants: Option<Variants>,
    /// Whether the records that are read now are a variant's.
    pub(super) is_in_variant: bool,
    progress: &'w Progress,
    /// The files that are open: none of them may be included again.
    open_files: Vec<PathBuf>,
}

/// What is known about the file that is being read.
pub(super) struct FileState {
    /// What its includes are relative to.
    path: PathBuf,
    /// Its number in [`Lines`].
    number: usize,
    pub(super) origin: Origin,
    pub(super) owner: Owner,
    /// The line that the current entry begins on.
    pub(super) line: u32,
}

impl FileState {
    /// The state in which a chunk of the file is read.
    pub(super) fn at_line(&self, line: u32, owner: Owner) -> Self {
        Self {
            path: self.path.clone(),
            number: self.number,
            origin: self.origin.clone(),
            owner,
            line,
        }
    }
}

/// What an entry was.
pub(super) enum Entry {
    /// It needs nothing more.
    Done,
    /// There is none: the file ends.
    End,
    /// It wants a file to be read before the next entry.
    Include(Box<Include>),
}

/// A file to be included.
pub(super) struct Include {
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
    /// Where the file's name stands.
    pub(super) position: (u32, u32),
}

/// Why a window was left.
enum Leave {
    End,
    Incomplete,
    Include(Box<Include>),
}

impl<'w> Reader<'w> {
    /// Begins a zone whose text has about `octet_count` octets.
    pub(super) fn new(
        zone: NameBuf,
        file_name: &str,
        octet_count: usize,
        window_len: usize,
        effort: Effort<'w>,
    ) -> Self {
        Self {
            builder: Builder::new(&zone, Lines::new(file_name), octet_count),
            variants: Some(Variants::new(&zone)),
            is_in_variant: false,
            zone,
            problems: Problems::default(),
            default_ttl: None,
            last_ttl: None,
            rdata: Vec::new(),
            window_len,
            threads: effort.threads,
            refused_count: 0,
            progress: effort.progress,
            open_files: Vec::new(),
        }
    }

    /// A reader for a chunk of the file that this one reads.
    pub(super) fn for_chunk(&self, octet_count: usize) -> Self {
        Self {
            zone: self.zone,
            builder: self.builder.for_chunk(octet_count),
            problems: Problems::default(),
            default_ttl: self.default_ttl,
            last_ttl: None,
            rdata: Vec::new(),
            open_files: Vec::new(),
            variants: None,
            ..*self
        }
    }

    /// Reads a zone from its first file.
    pub(super) fn read_zone(
        mut self,
        input: impl Read,
        octet_count: usize,
        file_name: &str,
    ) -> (Option<ZoneRecords>, Problems) {
        let path = PathBuf::from(file_name);
        self.open_files.push(path.clone());
        let origin = Origin::new(self.zone, &self.zone);
        let file = FileState {
            path,
            number: 0,
            origin,
            owner: Owner::missing(),
            line: 1,
        };
        let read = self.read_source(input, octet_count, file);
        if read.and_then(|()| self.close_variant(1)).is_err() {
            return (None, self.problems);
        }
        let variants = self.variants.take();
        let variants = variants.and_then(|variants| variants.finish(&mut self.builder));
        let whole = self.builder.lines().whole();
        let records = self.builder.finish(self.threads, &mut self.problems);
        if let Err(full) = &records {
            self.problems.error(whole, full.to_string());
        }
        let mut records = records.ok();
        if let (Some(records), Some(variants)) = (&mut records, variants) {
            records.set_variants(variants);
        }
        (records, self.problems)
    }

    /// Reads a file.
    fn read_source(
        &mut self,
        input: impl Read,
        octet_count: usize,
        mut file: FileState,
    ) -> Result<(), Failure> {
        let mut source = Source::new(input, self.window_of(octet_count));
        let mut record_count = self.record_count();
        loop {
            let by_all = self.read_chunks(source.window().0, &mut file)?;
            source.consume(by_all);
            let (text, is_last) = source.window();
            let mut lexer = Lexer::new(text, is_last);
            let leave = self.read_window(&mut lexer, &mut file)?;
            let count = self.record_count();
            self.progress.add(
                by_all + lexer.entry_start(),
                count.saturating_sub(record_count),
            );
            record_count = count;
            match leave {
                Leave::End => return Ok(()),
                Leave::Include(include) => {
                    let consumed = lexer.at();
                    source.consume(consumed);
                    self.include(include, &file)?;
                    self.builder.lines().go_on(file.number, file.line);
                    record_count = self.record_count();
                }
                Leave::Incomplete => {
                    let consumed = lexer.entry_start();
                    source.consume(consumed);
                    if let Err(message) = source.read_more() {
                        return self.complain(file.line, 1, message);
                    }
                }
            }
        }
    }

    /// How many files are open, one within the other.
    pub(super) fn depth(&self) -> usize {
        self.open_files.len()
    }

    /// How many records there are so far, but for those of variants that have ended.
    fn record_count(&self) -> usize {
        let variants = self.variants.as_ref();
        self.builder.record_count() + variants.map_or(0, Variants::record_count)
    }

    /// How much of a file of a size to look at at once.
    fn window_of(&self, octet_count: usize) -> usize {
        let for_all = self.window_len * WINDOWS_PER_THREAD * self.threads;
        if self.threads > 1 && octet_count >= for_all {
            for_all
        } else {
            self.window_len.min((octet_count + 1).max(WINDOW_LEN_MIN))
        }
    }

    /// Reads the entries that a window shows in full.
    fn read_window(
        &mut self,
        lexer: &mut Lexer<'_>,
        file: &mut FileState,
    ) -> Result<Leave, Failure> {
        let window_line = file.line;
        loop {
            let entry = self.entry(lexer, file);
            match &entry {
                Ok(_) => {}
                Err(Failure::Bad(complaint)) => {
                    let (line, column) = lexer.position(complaint.at);
                    // What is incomplete will be read, and found bad, once more.
                    if lexer.skip_entry().is_err() {
                        return Ok(Leave::Incomplete);
                    }
                    self.complain(
                        file.line.saturating_add(line),
                        column,
                        complaint.message.clone(),
                    )?;
                }
                Err(Failure::Incomplete) => return Ok(Leave::Incomplete),
                Err(Failure::Stop) => return Err(Failure::Stop),
            }
            file.line = window_line.saturating_add(lexer.newline_count());
            match entry {
                Ok(Entry::End) => return Ok(Leave::End),
                Ok(Entry::Include(include)) => return Ok(Leave::Include(include)),
                _ => {}
            }
        }
    }

    /// Reads a file that another one includes.
    fn include(&mut self, include: Box<Include>, outer: &FileState) -> Result<(), Failure> {
        // What `join` does with an absolute path is what is wanted: it stands for itself.
        let path = outer
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .join(&include.path);
        let (line, column) = include.position;
        let shown = path.display().to_string();
        let opened = path.canonicalize().and_then(|canonical| {
            let file = File::open(&path)?;
            Ok((canonical, file.metadata()?.len(), file))
        });
        let (canonical, len, opened) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return self.complain(line, column, format!("cannot open `{shown}`: {error}"));
            }
        };
        let is_it = |open: &PathBuf| open.canonicalize().is_ok_and(|open| open == canonical);
        if self.open_files.iter().any(is_it) {
            return self.complain(line, column, format!("`{shown}` includes itself"));
        }
        if self.open_files.len() >= INCLUDE_DEPTH_MAX {
            let message = format!("files include each other more than {INCLUDE_DEPTH_MAX} deep");
            return self.complain(line, column, message);
        }
        let number = self.builder.lines().add_file(&shown);
        self.builder.lines().go_on(number, 1);
        let file = FileState {
            path,
            number,
            origin: include.origin,
            owner: Owner::missing(),
            line: 1,
        };
        self.open_files.push(canonical);
        self.read_source(opened, usize::try_from(len).unwrap_or_default(), file)?;
        self.close_variant_of_file(line)?;
        self.open_files.pop();
        Ok(())
    }

    /// Adds an error in the file that is being read.
    pub(super) fn complain(
        &mut self,
        line: u32,
        column: u32,
        message: impl Into<String>,
    ) -> Result<(), Failure> {
        let lines = self.builder.lines();
        let number = lines.number(line);
        self.problems.error(lines.place(number, column), message);
        if self.problems.is_full() {
            Err(Failure::Stop)
        } else {
            Ok(())
        }
    }

    /// Adds the error that the zone is too large, which ends all reading.
    pub(super) fn stop_at(&mut self, line: u32, full: Full) -> Failure {
        self.problems
            .error(self.builder.lines().place(line, 1), full.to_string());
        Failure::Stop
    }
}
