//! Reads files entry by entry and follows `$INCLUDE`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::lexer::Lexer;
use super::owner::{Origin, Owner};
use super::source::Source;
use crate::name::NameBuf;
use crate::zone::error::Problems;
use crate::zone::records::{Builder, Full, Lines, ZoneRecords};

/// How deep files may include each other.
const INCLUDE_DEPTH_MAX: usize = 32;

/// Reads one zone.
pub(super) struct Reader {
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
    window_len: usize,
    /// The files that are open, in canonical form: none of them may be included again.
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

impl Reader {
    /// Begins a zone whose text has about `octet_count` octets.
    pub(super) fn new(
        zone: NameBuf,
        file_name: &str,
        octet_count: usize,
        window_len: usize,
        problems: Problems,
    ) -> Self {
        Self {
            builder: Builder::new(&zone, Lines::new(file_name), octet_count),
            zone,
            problems,
            default_ttl: None,
            last_ttl: None,
            rdata: Vec::new(),
            window_len,
            open_files: Vec::new(),
        }
    }

    /// Reads a zone from its first file.
    pub(super) fn read_zone(
        mut self,
        input: impl Read,
        file_name: &str,
    ) -> (Option<ZoneRecords>, Problems) {
        let path = PathBuf::from(file_name);
        self.open_files.extend(path.canonicalize());
        let origin = Origin::new(self.zone, &self.zone);
        let file = FileState {
            path,
            number: 0,
            origin,
            owner: Owner::missing(),
            line: 1,
        };
        if self.read_source(input, file).is_err() {
            return (None, self.problems);
        }
        let whole = self.builder.lines().whole();
        let records = self.builder.finish(&mut self.problems);
        if let Err(full) = &records {
            self.problems.error(whole, full.to_string());
        }
        (records.ok(), self.problems)
    }

    /// Reads a file.
    fn read_source(&mut self, input: impl Read, mut file: FileState) -> Result<(), Failure> {
        let mut source = Source::new(input, self.window_len);
        loop {
            let (text, is_last) = source.window();
            let mut lexer = Lexer::new(text, is_last);
            match self.read_window(&mut lexer, &mut file)? {
                Leave::End => return Ok(()),
                Leave::Include(include) => {
                    let consumed = lexer.at();
                    source.consume(consumed);
                    self.include(include, &file)?;
                    self.builder.lines().go_on(file.number, file.line);
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
        let opened = path
            .canonicalize()
            .and_then(|canonical| Ok((canonical, File::open(&path)?)));
        let (canonical, opened) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return self.complain(line, column, format!("cannot open `{shown}`: {error}"));
            }
        };
        if self.open_files.contains(&canonical) {
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
        self.read_source(opened, file)?;
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
