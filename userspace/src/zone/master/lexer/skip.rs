//! Finds the next entry after one that is bad, so that all errors of a file are found at once.

use super::{Lexer, is_blank};
use crate::zone::master::failure::Failure;

impl Lexer<'_> {
    /// Skips what is left of an entry after a failure, so that the next one can be read.
    pub(in crate::zone::master) fn skip_entry(&mut self) -> Result<(), Failure> {
        let is_in_first_column = self.text[self.entry_start..self.token_start].ends_with(b"\n");
        if self.depth > 0 && is_in_first_column {
            self.at = self.token_start;
        }
        loop {
            if self.depth > 0 && self.is_at_likely_entry() {
                return Ok(());
            }
            match self.text.get(self.at) {
                Some(b'\n') => {
                    self.pass_newline();
                    if self.depth == 0 {
                        return Ok(());
                    }
                }
                Some(b'(') => {
                    self.depth += 1;
                    self.at += 1;
                }
                Some(b')') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                }
                Some(b';') => self.skip_line(),
                Some(b'"') => {
                    // If its end is missing the line is all that is lost.
                    match self.quoted_token() {
                        Ok(_) => {}
                        Err(Failure::Incomplete) => return Err(Failure::Incomplete),
                        Err(_) => self.skip_line(),
                    }
                }
                // An escaped quote or parenthesis is none; the end of a line stays one.
                Some(b'\\') => match self.text.get(self.at + 1) {
                    None | Some(b'\n') => self.at += 1,
                    Some(_) => self.at += 2,
                },
                Some(_) => self.at += 1,
                None if self.is_last => return Ok(()),
                None => return Err(Failure::Incomplete),
            }
        }
    }

    /// After a failure with an open parenthesis: a line that begins in the first column is more
    /// likely the next entry than a part of this one.
    fn is_at_likely_entry(&self) -> bool {
        let next = self.text.get(self.at);
        self.at > self.entry_start
            && self.text[self.at - 1] == b'\n'
            && !next.is_some_and(|octet| is_blank(*octet) || b");\n".contains(octet))
            && next.is_some()
    }
}
