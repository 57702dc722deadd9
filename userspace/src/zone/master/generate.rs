//! `$GENERATE`: records by counting, in BIND's syntax.
//!
//! ```text
//! $GENERATE first-last[/step] owner [ttl] [class] type data
//! ```
//!
//! In owner and data `$` is the counter, `${offset[,width[,base]]}` the counter plus an offset,
//! filled with zeros up to a width, in base `d`, `o`, `x`, `X`, or as nibbles with dots between
//! them, last one first, with `n` or `N`. `\$` and `$$` are a dollar sign.

use std::fmt::Write as _;

use super::entry::{Ttl, head, read_rdata};
use super::failure::Failure;
use super::lexer::{Lexer, Token};
use super::reader::{FileState, Reader};
use super::scanner::EntryScanner;

/// The most records that one directive makes: those of a reverse zone for a /8.
const COUNT_MAX: u64 = 1 << 24;

/// The widest number.
const WIDTH_MAX: usize = 255;

/// A directive as written.
struct Directive {
    first: u32,
    last: u32,
    step: u32,
    owner: Vec<u8>,
    ttl: Option<u32>,
    rtype: u16,
    data: Vec<u8>,
}

impl Reader<'_> {
    /// Follows the directive, whose name was taken already.
    pub(super) fn generate(
        &mut self,
        lexer: &mut Lexer<'_>,
        file: &mut FileState,
    ) -> Result<(), Failure> {
        let directive = Directive::read(lexer)?;
        // Once before the end of the entry is passed: what is wrong for all numbers is complained
        // about once.
        let ttl = self.generate_one(&directive, directive.first, file)?;
        lexer.end_entry()?;
        self.keep(ttl, directive.rtype, file)?;
        for number in (directive.first..=directive.last)
            .step_by(directive.step as usize)
            .skip(1)
        {
            match self.generate_one(&directive, number, file) {
                Ok(ttl) => self.keep(ttl, directive.rtype, file)?,
                Err(failure) => {
                    let message = format!("for the number {number}: {failure}");
                    return self.complain(file.line, 1, message);
                }
            }
        }
        Ok(())
    }

    /// Reads the owner and the data of the record for one number.
    fn generate_one(
        &mut self,
        directive: &Directive,
        number: u32,
        file: &mut FileState,
    ) -> Result<Ttl, Failure> {
        let within = |failure| match failure {
            // The offset is one in the text that was made.
            Failure::Bad(complaint) => Failure::new(complaint.message),
            other => other,
        };
        let (owner, data) = (
            expand(&directive.owner, number)?,
            expand(&directive.data, number)?,
        );
        file.owner.set(
            Token {
                raw: &owner,
                is_quoted: false,
            },
            &file.origin,
            &self.zone,
        )?;
        self.rdata.clear();
        let mut lexer = Lexer::new(&data, true);
        let mut scanner = EntryScanner {
            lexer: &mut lexer,
            origin: &file.origin.name,
        };
        read_rdata(directive.rtype, &mut scanner, &mut self.rdata).map_err(within)?;
        lexer.end_entry().map_err(within)?;
        self.ttl(directive.ttl, directive.rtype)
    }
}

impl Directive {
    /// Reads everything behind `$GENERATE`.
    fn read(lexer: &mut Lexer<'_>) -> Result<Self, Failure> {
        let (first, last, step) = range(lexer.token()?.raw)?;
        let owner = lexer.token()?.raw.to_vec();
        let (ttl, rtype) = head(lexer)?;
        let mut data = Vec::new();
        let mut token_count = 0;
        let mut only_quoted = None;
        while lexer.has_token()? {
            let token = lexer.token()?;
            token_count += 1;
            only_quoted = (token.is_quoted && token_count == 1).then_some(token.raw);
            let quote: &[u8] = if token.is_quoted { b"\"" } else { b"" };
            data.extend([b" ", quote, token.raw, quote].concat());
        }
        // BIND takes the data as one token, so data of several parts is often quoted as a whole.
        if let Some(raw) = only_quoted {
            data = String::from_utf8_lossy(raw)
                .replace("\\\"", "\"")
                .into_bytes();
        }
        Ok(Self {
            first,
            last,
            step,
            owner,
            ttl,
            rtype,
            data,
        })
    }
}

/// Reads `first-last[/step]`.
fn range(raw: &[u8]) -> Result<(u32, u32, u32), Failure> {
    let bad = || {
        let shown = String::from_utf8_lossy(raw);
        Failure::new(format!(
            "`{shown}` is not a range: write first-last or first-last/step"
        ))
    };
    let text = str::from_utf8(raw).map_err(|_| bad())?;
    let (range, step) = text.split_once('/').unwrap_or((text, "1"));
    let (first, last) = range.split_once('-').ok_or_else(bad)?;
    let number = |text: &str| {
        // No signs, which `parse` would allow.
        let is_decimal = text.bytes().all(|octet| octet.is_ascii_digit());
        text.parse::<u32>()
            .ok()
            .filter(|_| is_decimal)
            .ok_or_else(bad)
    };
    let (first, last, step) = (number(first)?, number(last)?, number(step)?);
    if first > last || step == 0 {
        return Err(bad());
    }
    if u64::from((last - first) / step) + 1 > COUNT_MAX {
        return Err(Failure::new(format!(
            "one $GENERATE makes at most {COUNT_MAX} records"
        )));
    }
    Ok((first, last, step))
}

/// Puts a number into a template.
fn expand(template: &[u8], number: u32) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(template.len() + 8);
    let mut rest = template;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after.first()) {
            (b'\\', Some(b'$')) | (b'$', Some(b'$')) => {
                out.extend(br"\$");
                rest = &after[1..];
            }
            (b'\\', Some(escaped)) => {
                out.extend([b'\\', *escaped]);
                rest = &after[1..];
            }
            (b'$', Some(b'{')) => {
                let end = after
                    .iter()
                    .position(|octet| *octet == b'}')
                    .ok_or_else(|| Failure::new("`${` wants a closing brace"))?;
                out.extend(modified(&after[1..end], number)?.as_bytes());
                rest = &after[end + 1..];
            }
            (b'$', _) => out.extend(number.to_string().as_bytes()),
            (plain, _) => out.push(plain),
        }
    }
    Ok(out)
}

/// Writes a number as `offset[,width[,base]]` wants it.
fn modified(modifier: &[u8], number: u32) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(modifier);
    let bad = || Failure::new(format!("`${{{text}}}` is not ${{offset,width,base}}"));
    let mut parts = text.split(',').map(str::trim);
    let offset: i64 = parts
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|_| bad())?;
    let width = parts
        .next()
        .map_or(Ok(0), str::parse::<usize>)
        .map_err(|_| bad())?;
    let base = parts.next().unwrap_or("d");
    if width > WIDTH_MAX || parts.next().is_some() {
        return Err(bad());
    }
    let value = i64::from(number)
        .checked_add(offset)
        .and_then(|value| u64::try_from(value).ok());
    let value = value.ok_or_else(|| Failure::new(format!("`${{{text}}}` gives less than 0")))?;
    Ok(match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        "n" => nibbles(value, width, false),
        "N" => nibbles(value, width, true),
        _ => return Err(bad()),
    })
}

/// Writes nibbles with dots between them, the lowest first; the width counts the dots too.
fn nibbles(mut value: u64, width: usize, is_upper: bool) -> String {
    let mut out = String::new();
    loop {
        let nibble = value & 15;
        // Writing into a string cannot fail.
        let _ = if is_upper {
            write!(out, "{nibble:X}")
        } else {
            write!(out, "{nibble:x}")
        };
        value >>= 4;
        if value == 0 && out.len() >= width {
            return out;
        }
        out.push('.');
        if value == 0 && out.len() >= width {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(template: &str, number: u32) -> String {
        String::from_utf8(expand(template.as_bytes(), number).unwrap()).unwrap()
    }

    #[test]
    fn the_counter_stands_where_the_dollar_sign_is() {
        assert_eq!(expanded("host$.x", 7), "host7.x");
        assert_eq!(expanded(r"a\$b$$c\\d", 7), r"a\$b\$c\\d");
        assert_eq!(expanded("${0}-${10,3}-${-7,2,d}", 7), "7-017-00");
        assert_eq!(expanded("${0,4,x}.${0,0,X}.${0,0,o}", 254), "00fe.FE.376");
    }

    #[test]
    fn nibbles_come_last_first() {
        assert_eq!(expanded("${0,0,n}", 0x1f), "f.1");
        assert_eq!(expanded("${0,7,N}", 0x1f), "F.1.0.0");
        assert_eq!(expanded("${0,1,n}", 0), "0");
    }

    #[test]
    fn what_is_no_range_or_modifier_is_refused() {
        assert_eq!(range(b"1-9/2").unwrap(), (1, 9, 2));
        for bad in [
            "",
            "1",
            "1-",
            "2-1",
            "1-2/0",
            "1-2/x",
            "+1-2",
            "0-4294967296",
            "0-16777216",
        ] {
            assert!(range(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in [
            "${",
            "${}",
            "${x}",
            "${0,x}",
            "${0,0,y}",
            "${0,0,d,1}",
            "${-8}",
            "${0,256}",
        ] {
            assert!(expand(bad.as_bytes(), 7).is_err(), "{bad}");
        }
    }
}
