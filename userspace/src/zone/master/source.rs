//! A file as a window that moves over it, so that reading takes the same memory however long the
//! file is.

use std::io::{self, Read};

/// How much of a file is looked at at once, unless an entry is longer.
pub(super) const WINDOW_LEN: usize = 256 << 10;

/// The longest entry. 65,535 octets of data are a quarter of a MiB in text; the rest is for
/// comments.
const ENTRY_LEN_MAX: usize = 16 << 20;

/// A window over what is read from `input`.
pub(super) struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_first: bool,
    is_last: bool,
}

impl<R: Read> Source<R> {
    /// Makes an empty window; its buffer has `window_len` octets to begin with.
    pub(super) fn new(input: R, window_len: usize) -> Self {
        Self {
            input,
            buffer: vec![0; window_len],
            start: 0,
            end: 0,
            is_first: true,
            is_last: false,
        }
    }

    /// What the window shows, and whether the file ends with it.
    pub(super) fn window(&self) -> (&[u8], bool) {
        (&self.buffer[self.start..self.end], self.is_last)
    }

    /// Moves the beginning of the window.
    pub(super) fn consume(&mut self, octet_count: usize) {
        self.start = (self.start + octet_count).min(self.end);
    }

    /// Reads more of the file into the window. The error is for people.
    pub(super) fn read_more(&mut self) -> Result<(), String> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            if self.end >= ENTRY_LEN_MAX {
                return Err(format!("this entry is longer than {ENTRY_LEN_MAX} octets"));
            }
            self.buffer.resize((self.end * 2).max(16), 0);
        }
        while self.end < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.is_last = true;
                    break;
                }
                Ok(len) => self.end += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("cannot read: {error}")),
            }
        }
        self.skip_byte_order_mark();
        Ok(())
    }

    /// Some editors put a byte order mark before UTF-8, and it would become a part of the first
    /// name.
    fn skip_byte_order_mark(&mut self) {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        if self.is_first && (self.end >= MARK.len() || self.is_last) {
            self.is_first = false;
            let has_mark = self.buffer[..self.end].starts_with(MARK);
            self.start = if has_mark { MARK.len() } else { 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_only_while_nothing_is_consumed() {
        let mut source = Source::new(&b"0123456789abcdefghij"[..], 4);
        source.read_more().unwrap();
        assert_eq!(source.window(), (&b"0123"[..], false));
        source.consume(3);
        source.read_more().unwrap();
        assert_eq!(source.window(), (&b"3456"[..], false));
        source.read_more().unwrap();
        assert_eq!(source.window(), (&b"3456789abcdefghi"[..], false));
        source.consume(16);
        source.read_more().unwrap();
        assert_eq!(source.window(), (&b"j"[..], true));
    }

    #[test]
    fn an_entry_without_end_is_refused_before_it_fills_the_memory() {
        let mut source = Source::new(io::repeat(b'('), WINDOW_LEN);
        let error = (0..100).find_map(|_| source.read_more().err()).unwrap();
        assert!(error.contains("longer than 16777216 octets"), "{error}");
    }
}
