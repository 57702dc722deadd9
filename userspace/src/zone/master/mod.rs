//! Reads master files (RFC 1035 §5): text in, records and problems out.
//!
//! ```text
//! source: window by window ─► lexer: tokens ─► reader: entries, directives, included files
//!                                └► scanner: `domain`'s Scanner ─► field: data ─► Builder
//! ```
//!
//! A file is never in memory as a whole. An entry that the window ends in is read again, from its
//! beginning, when the window has more of it; nothing is kept of an entry before its end was seen.

mod chunks;
mod entry;
mod failure;
mod field;
mod generate;
mod lexer;
mod owner;
mod reader;
mod scanner;
mod source;
mod ttl;
mod variant;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::{Problems, ZoneProblem};
use super::progress::{Effort, Progress};
use super::records::{Lines, ZoneRecords};
use crate::name::{self, NameBuf};
use reader::Reader;

/// What reading a zone ends in: its records and warnings, or all problems.
type Outcome = Result<(ZoneRecords, Vec<ZoneProblem>), Vec<ZoneProblem>>;

/// Reads a zone from a file; `opened` is what came of opening it.
pub(super) fn read_file(
    opened: io::Result<File>,
    path: &Path,
    origin: &[u8],
    effort: Effort<'_>,
) -> Outcome {
    let file_name = path.display().to_string();
    match opened.and_then(|file| Ok((file.metadata()?.len(), file))) {
        Ok((len, file)) => {
            let octet_count = usize::try_from(len).unwrap_or_default();
            let window_len = source::WINDOW_LEN;
            read(file, octet_count, window_len, &file_name, origin, effort)
        }
        Err(error) => {
            let mut problems = Problems::default();
            problems.error(
                Lines::new(&file_name).whole(),
                format!("cannot open: {error}"),
            );
            Err(problems.into_list(&file_name.into()))
        }
    }
}

/// Reads a zone from memory.
pub(super) fn read_text(text: &[u8], file_name: &str, origin: &[u8]) -> Outcome {
    let effort = Effort {
        threads: 1,
        progress: &Progress::default(),
    };
    let window_len = source::WINDOW_LEN;
    read(text, text.len(), window_len, file_name, origin, effort)
}

/// Reads a zone of about `octet_count` octets of text, seen through windows of `window_len`.
fn read(
    input: impl Read,
    octet_count: usize,
    window_len: usize,
    file_name: &str,
    origin: &[u8],
    effort: Effort<'_>,
) -> Outcome {
    let mut zone = NameBuf::new();
    if name::wire_len(origin) != Some(origin.len()) || zone.push_wire(origin).is_err() {
        let place = Lines::new(file_name).whole();
        let mut problems = Problems::default();
        problems.error(place, "the zone's origin is no domain name in wire form");
        return Err(problems.into_list(&file_name.into()));
    }
    zone.make_lowercase();
    let reader = Reader::new(zone, file_name, octet_count, window_len, effort);
    let (records, problems) = reader.read_zone(input, octet_count, file_name);
    let failed = problems.has_error();
    let list = problems.into_list(&file_name.into());
    records
        .filter(|_| !failed)
        .map(|records| (records, list.clone()))
        .ok_or(list)
}

#[cfg(test)]
mod tests;
