//! Splits the text of a master file into tokens (RFC 1035 §5.1).
//!
//! A lexer sees a window of the file that begins with an entry. When the window ends before the
//! entry does, everything answers [`Failure::Incomplete`]: the caller comes back with more text.

mod skip;

use super::failure::Failure;

/// A lexer over the window's text.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    /// Whether the file ends where the text ends.
    is_last: bool,
    at: usize,
    /// Where the current entry begins.
    entry_start: usize,
    /// Where the token begins that was taken last.
    token_start: usize,
    /// Parentheses that are open, and where the outermost began.
    depth: u32,
    opened_at: usize,
    /// Ends of lines that were passed since the lexer was made.
    newline_count: u32,
}

/// One token, still with its escapes, but without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) raw: &'t [u8],
    pub(super) is_quoted: bool,
}

impl<'t> Lexer<'t> {
    /// Makes a lexer for text of which the file's end is the end if `is_last`.
    pub(super) fn new(text: &'t [u8], is_last: bool) -> Self {
        Self {
            text,
            is_last,
            at: 0,
            entry_start: 0,
            token_start: 0,
            depth: 0,
            opened_at: 0,
            newline_count: 0,
        }
    }

    /// Begins an entry where the one before ended; `None` at the end of the file.
    ///
    /// Says whether the entry begins with white space.
    pub(super) fn begin_entry(&mut self) -> Result<Option<bool>, Failure> {
        (self.entry_start, self.token_start) = (self.at, self.at);
        self.depth = 0;
        match self.text.get(self.at) {
            Some(first) => Ok(Some(is_blank(*first))),
            None if self.is_last => Ok(None),
            None => Err(Failure::Incomplete),
        }
    }

    /// Skips white space and comments, and says whether there is one more token in the entry.
    pub(super) fn has_token(&mut self) -> Result<bool, Failure> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') if self.depth > 0 => {
                    self.at += 1;
                    self.newline_count += 1;
                }
                Some(b'\n') => return Ok(false),
                Some(b';') => self.skip_line(),
                Some(b'(') => {
                    if self.depth == 0 {
                        self.opened_at = self.at;
                    }
                    self.depth += 1;
                    self.at += 1;
                }
                Some(b')') if self.depth == 0 => {
                    return Err(Failure::at(
                        self.at,
                        "there is no open parenthesis to close here",
                    ));
                }
                Some(b')') => {
                    self.depth -= 1;
                    self.at += 1;
                }
                Some(_) => return Ok(true),
                None if !self.is_last => return Err(Failure::Incomplete),
                None if self.depth > 0 => {
                    return Err(Failure::at(
                        self.opened_at,
                        "this parenthesis is never closed",
                    ));
                }
                None => return Ok(false),
            }
        }
    }

    /// Takes the next token.
    pub(super) fn token(&mut self) -> Result<Token<'t>, Failure> {
        if !self.has_token()? {
            return Err(Failure::at(
                self.at,
                "the entry ends too early: something is missing here",
            ));
        }
        self.token_start = self.at;
        if self.text[self.at] == b'"' {
            return self.quoted_token();
        }
        let mut end = self.at;
        loop {
            let is_plain = |octet: &&u8| CLASSES[usize::from(**octet)] == Class::Plain;
            end += self.text[end..].iter().take_while(is_plain).count();
            match self
                .text
                .get(end)
                .map(|octet| (CLASSES[usize::from(*octet)], octet))
            {
                Some((Class::Backslash, _)) => end += self.escape_len(end)?,
                Some((Class::Control, octet)) => return Err(control_character(end, *octet)),
                Some(_) => break,
                None if self.is_last => break,
                None => return Err(Failure::Incomplete),
            }
        }
        let raw = &self.text[self.at..end];
        self.at = end;
        Ok(Token {
            raw,
            is_quoted: false,
        })
    }

    /// Whether the next token stands apart from the one that was taken last.
    pub(super) fn has_space(&self) -> bool {
        self.text.get(self.at) != Some(&b'"')
    }

    /// Takes the token that follows without any white space if it is quoted.
    pub(super) fn adjacent_quoted_token(&mut self) -> Result<Option<Token<'t>>, Failure> {
        match self.text.get(self.at) {
            Some(b'"') => self.quoted_token().map(Some),
            None if !self.is_last => Err(Failure::Incomplete),
            _ => Ok(None),
        }
    }

    /// Looks whether the next token is exactly `raw`, unquoted, and takes it if so.
    pub(super) fn take_if(&mut self, raw: &[u8]) -> Result<bool, Failure> {
        if !self.has_token()? || !raw.starts_with(&self.text[self.at..=self.at]) {
            return Ok(false);
        }
        let (at, token_start) = (self.at, self.token_start);
        let is_same = self.token()?
            == Token {
                raw,
                is_quoted: false,
            };
        if !is_same {
            (self.at, self.token_start) = (at, token_start);
        }
        Ok(is_same)
    }

    /// Ends the entry: there must be no token left on its line.
    pub(super) fn end_entry(&mut self) -> Result<(), Failure> {
        if self.has_token()? {
            let token = self.token()?;
            let shown = String::from_utf8_lossy(token.raw);
            let hint = if self.depth > 0 {
                " (a parenthesis is still open)"
            } else {
                ""
            };
            return Err(Failure::new(format!(
                "`{shown}` is one too many here{hint}"
            )));
        }
        self.pass_newline();
        Ok(())
    }

    /// Where the next entry begins, if the last one was ended.
    pub(super) fn at(&self) -> usize {
        self.at.min(self.text.len())
    }

    /// Ends of lines that were passed.
    pub(super) fn newline_count(&self) -> u32 {
        self.newline_count
    }

    /// Where the current entry begins.
    pub(super) fn entry_start(&self) -> usize {
        self.entry_start
    }

    /// Where the last token taken begins.
    pub(super) fn token_start(&self) -> usize {
        self.token_start
    }

    /// Line, counted from 0 at the beginning of the entry, and column, counted from 1 in
    /// characters.
    pub(super) fn position(&self, failure_at: Option<usize>) -> (u32, u32) {
        let at = failure_at.unwrap_or(self.token_start).min(self.text.len());
        let before = &self.text[self.entry_start..at];
        let line = before.iter().filter(|octet| **octet == b'\n').count();
        let line_start = before
            .iter()
            .rposition(|octet| *octet == b'\n')
            .map_or(0, |at| at + 1);
        let is_character = |octet: &&u8| **octet & 0xc0 != 0x80;
        let column = 1 + before[line_start..].iter().filter(is_character).count();
        let to_u32 = |count| u32::try_from(count).unwrap_or(u32::MAX);
        (to_u32(line), to_u32(column))
    }

    /// Takes the token whose opening quote is next.
    fn quoted_token(&mut self) -> Result<Token<'t>, Failure> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.text.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += self.escape_len(end)?,
                Some(b'\n') => {
                    return Err(Failure::at(
                        self.at,
                        "this quoted string is not closed on its line",
                    ));
                }
                Some(_) => end += 1,
                None if !self.is_last => return Err(Failure::Incomplete),
                None => return Err(Failure::at(self.at, "this quoted string is never closed")),
            }
        }
        self.at = end + 1;
        Ok(Token {
            raw: &self.text[start..end],
            is_quoted: true,
        })
    }

    /// How far to go at a backslash, so that an escaped character is not taken for a delimiter.
    fn escape_len(&self, at: usize) -> Result<usize, Failure> {
        match self.text.get(at + 1) {
            Some(b'\n' | b'\r') => Err(Failure::at(at, "a backslash cannot end a line")),
            Some(_) => Ok(2),
            None if self.is_last => Err(Failure::at(at, "a backslash cannot end a file")),
            None => Err(Failure::Incomplete),
        }
    }

    /// Goes to the end of the line.
    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest
            .iter()
            .position(|octet| *octet == b'\n')
            .unwrap_or(rest.len());
    }

    /// Steps over the end of a line; at the end of the text there may be none.
    fn pass_newline(&mut self) {
        if self.at < self.text.len() {
            self.newline_count += 1;
        }
        self.at += 1;
    }
}

/// What an octet is outside of quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Backslash,
    Delimiter,
    Control,
}

/// The class of each octet. Octets above 127 are plain: names and strings may hold any octet.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut control = 0;
    while control < 32 {
        classes[control] = Class::Control;
        control += 1;
    }
    classes[127] = Class::Control;
    classes[b'\\' as usize] = Class::Backslash;
    let delimiters = b" \t\r\n;()\"";
    let mut index = 0;
    while index < delimiters.len() {
        classes[delimiters[index] as usize] = Class::Delimiter;
        index += 1;
    }
    classes
};

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r')
}

fn control_character(at: usize, octet: u8) -> Failure {
    Failure::at(
        at,
        format!("the octet {octet:#04x} is no text: is this a master file?"),
    )
}
