//! Reads a window on several threads: it is cut where entries seem to begin, and each chunk is read
//! as if they did.
//!
//! A chunk counts only if the one before it ended with an entry, and left origin and `$TTL` as it
//! found them: then it was read as it stands in the file. What does not count, and whatever has an
//! error, is read once more, in order.

use super::failure::Failure;
use super::lexer::Lexer;
use super::owner::{Origin, Owner};
use super::reader::{Entry, FileState, Reader};
use std::thread;

/// A file where so many windows had a chunk that did not count is read in order from there on.
const REFUSED_MAX: u32 = 4;

/// A chunk that was read to its end.
struct Part<'w> {
    reader: Reader<'w>,
    origin: Origin,
    owner: Owner,
    line: u32,
}

impl<'w> Reader<'w> {
    /// Reads as much of a window as it can on all threads. Returns how many octets that were.
    pub(super) fn read_chunks(
        &mut self,
        text: &[u8],
        file: &mut FileState,
    ) -> Result<usize, Failure> {
        let is_large = text.len() >= 2 * self.window_len;
        let is_worth_it = self.threads > 1 && is_large && self.refused_count < REFUSED_MAX;
        // Without `$TTL` each record's TTL is that of the one before.
        if !is_worth_it || self.default_ttl.is_none() {
            return Ok(0);
        }
        let chunks = cut(text, self.threads);
        let mut read = 0;
        let parts = self.read_parts(&chunks, file).into_iter().zip(&chunks);
        for (index, (part, chunk)) in parts.enumerate() {
            let is_first = index == 0;
            let Some(part) = part.filter(|part| is_first || self.continues_with(part)) else {
                self.refused_count += 1;
                break;
            };
            if is_first {
                self.builder.forget_open_owner();
            }
            let same_ttl = part.reader.default_ttl == self.default_ttl;
            let is_unchanged = same_ttl && part.origin == file.origin;
            self.append(part, file)?;
            read += chunk.len();
            if !is_unchanged {
                self.refused_count += 1;
                break;
            }
        }
        Ok(read)
    }

    /// Reads each chunk on a thread of its own, the first one on this.
    fn read_parts(&self, chunks: &[&[u8]], file: &FileState) -> Vec<Option<Part<'w>>> {
        let mut line = file.line;
        let mut works = chunks.iter().enumerate().map(|(index, chunk)| {
            let owner = match index {
                0 => file.owner.clone(),
                _ => Owner::missing(),
            };
            let state = file.at_line(line, owner);
            line = line.saturating_add(newline_count(chunk));
            let mut reader = self.for_chunk(chunk.len());
            if index == 0 {
                // Its first entry may have the owner that was read last.
                reader.builder.open_owner_of(&self.builder);
            }
            move || reader.read_chunk(chunk, state)
        });
        thread::scope(|scope| {
            let first = works.next();
            let others: Vec<_> = works.map(|work| scope.spawn(work)).collect();
            let first = first.into_iter().map(|work| work());
            let others = others.into_iter().map(|other| other.join().ok().flatten());
            first.chain(others).collect()
        })
    }

    /// Reads a chunk. `None` where it has an error, includes a file, or does not end with an entry.
    fn read_chunk(mut self, text: &[u8], mut file: FileState) -> Option<Part<'w>> {
        let first_line = file.line;
        let mut lexer = Lexer::new(text, false);
        loop {
            match self.entry(&mut lexer, &mut file) {
                Ok(Entry::Done) => {}
                Err(Failure::Incomplete) if lexer.entry_start() == text.len() => break,
                _ => return None,
            }
            file.line = first_line.saturating_add(lexer.newline_count());
        }
        (!self.problems.has_error()).then_some(Part {
            reader: self,
            origin: file.origin,
            owner: file.owner,
            line: file.line,
        })
    }

    /// Whether what a chunk begins with can stand behind what was read so far.
    fn continues_with(&self, part: &Part<'_>) -> bool {
        self.builder.continues_with(&part.reader.builder)
    }

    /// Takes over what a chunk had.
    fn append(&mut self, part: Part<'_>, file: &mut FileState) -> Result<(), Failure> {
        let appended = self.builder.append(part.reader.builder, &mut self.problems);
        let line = self.builder.lines().number(file.line);
        appended.map_err(|full| self.stop_at(line, full))?;
        self.problems.append(part.reader.problems);
        self.default_ttl = part.reader.default_ttl;
        self.last_ttl = part.reader.last_ttl.or(self.last_ttl);
        file.origin = part.origin;
        file.owner = part.owner;
        file.line = part.line;
        self.builder.lines().number(part.line);
        Ok(())
    }
}

/// Cuts text into chunks of about one length, and leaves a rest.
fn cut(text: &[u8], count: usize) -> Vec<&[u8]> {
    let mut chunks = Vec::with_capacity(count);
    let mut start = 0;
    // What follows the last chunk is read in order: it ends somewhere in an entry.
    let len = text.len() - text.len() / 32;
    for index in 1..=count {
        let wanted = (len / count * index).max(start);
        let Some(end) = next_entry(text, wanted) else {
            break;
        };
        chunks.push(&text[start..end]);
        start = end;
    }
    chunks
}

/// Finds a line that seems to be an entry with another owner than the line before has.
fn next_entry(text: &[u8], from: usize) -> Option<usize> {
    let mut line_start = from + 1 + text[from..].iter().position(|octet| *octet == b'\n')?;
    loop {
        let len = text[line_start..]
            .iter()
            .position(|octet| *octet == b'\n')?;
        let next_start = line_start + len + 1;
        let (line, next) = (
            first_token(&text[line_start..]),
            first_token(&text[next_start..]),
        );
        if !next.is_empty() && !line.eq_ignore_ascii_case(next) {
            return Some(next_start);
        }
        line_start = next_start;
    }
}

/// The token in a line's first column, if it may be an owner's name: else nothing.
fn first_token(line: &[u8]) -> &[u8] {
    if line.first() == Some(&b'$') {
        return &[];
    }
    let is_end = |octet: &u8| b" \t\r\n;()\"".contains(octet);
    // Without an end the text ends in the token.
    line.iter().position(is_end).map_or(&[], |len| &line[..len])
}

fn newline_count(text: &[u8]) -> u32 {
    // A sum of bytes is what the compiler makes wide instructions of.
    let counts = text.chunks(255).map(|chunk| {
        let count: u8 = chunk.iter().map(|octet| u8::from(*octet == b'\n')).sum();
        u32::from(count)
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_before_another_owner_only() {
        let text = b"a 1 A 1.2.3.4\na 1 A 1.2.3.5\n  TXT x\n$TTL 5\n;\nb 1 A 1.2.3.4\nc 1 TXT (\n";
        let after = |at: &[u8]| text.windows(at.len()).position(|window| window == at);
        assert_eq!(next_entry(text, 0), after(b"b 1"));
        assert_eq!(
            next_entry(text, after(b"b 1").unwrap()),
            None,
            "c's line has no next"
        );
        assert_eq!(next_entry(text, after(b"$TTL").unwrap()), after(b"b 1"));
        assert_eq!(cut(text, 1), [] as [&[u8]; 0]);
        assert_eq!(cut(&text[..60], 1), [] as [&[u8]; 0]);
    }

    #[test]
    fn lines_are_counted() {
        let text = "x\n\ny".repeat(1000);
        assert_eq!(newline_count(text.as_bytes()), 2000);
        assert_eq!(newline_count(&[b'\n'; 1000]), 1000);
    }
}
