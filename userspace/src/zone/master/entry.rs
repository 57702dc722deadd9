//! Reads one entry: a record or a directive.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::failure::Failure;
use super::field;
use super::lexer::{Lexer, Token};
use super::owner::Origin;
use super::reader::{Entry, FileState, Include, Reader};
use super::scanner::{EntryScanner, append_unescaped};
use super::ttl::ttl;
use crate::name;
use crate::zone::{rdata, rtype};

/// Where a record's TTL comes from (RFC 1035 §5.1, RFC 2308 §4).
#[derive(Clone, Copy)]
pub(super) enum Ttl {
    /// It is written.
    Written(u32),
    /// It is that of `$TTL`, or else of the record before.
    Inherited(u32),
    /// There is none yet: it is the last number of the SOA, as BIND has it.
    OfSoa(u32),
}

impl Reader<'_> {
    /// Reads the next entry.
    pub(super) fn entry(
        &mut self,
        lexer: &mut Lexer<'_>,
        file: &mut FileState,
    ) -> Result<Entry, Failure> {
        let Some(begins_blank) = lexer.begin_entry()? else {
            return Ok(Entry::End);
        };
        if !lexer.has_token()? {
            lexer.end_entry()?;
            return Ok(Entry::Done);
        }
        if begins_blank {
            if file.owner.place().is_none() {
                return Err(Failure::at(lexer.at(), "there is no owner, here or before"));
            }
        } else {
            let token = lexer.token()?;
            if !token.is_quoted && token.raw.starts_with(b"$") {
                return self.directive(token.raw, lexer, file);
            }
            file.owner.set(token, &file.origin, &self.zone)?;
        }
        let (written_ttl, rtype) = head(lexer)?;
        self.rdata.clear();
        let mut scanner = EntryScanner {
            lexer,
            origin: &file.origin.name,
        };
        read_rdata(rtype, &mut scanner, &mut self.rdata)?;
        let ttl = self.ttl(written_ttl, rtype)?;
        lexer.end_entry()?;
        self.keep(ttl, rtype, file)?;
        Ok(Entry::Done)
    }

    /// Finds the TTL of a record whose data was read.
    pub(super) fn ttl(&self, written: Option<u32>, rtype: u16) -> Result<Ttl, Failure> {
        let inherited = || self.default_ttl.or(self.last_ttl).map(Ttl::Inherited);
        let of_soa = || {
            let minimum = self.rdata.last_chunk().filter(|_| rtype == rtype::SOA)?;
            Some(Ttl::OfSoa(u32::from_be_bytes(*minimum)))
        };
        written
            .map(Ttl::Written)
            .or_else(inherited)
            .or_else(of_soa)
            .ok_or_else(|| Failure::new("there is no TTL: put a $TTL before this record"))
    }

    /// Hands on a record that was read to its end.
    pub(super) fn keep(&mut self, ttl: Ttl, rtype: u16, file: &FileState) -> Result<(), Failure> {
        let line = self.builder.lines().number(file.line);
        let seconds = match ttl {
            Ttl::Written(seconds) => *self.last_ttl.insert(seconds),
            Ttl::Inherited(seconds) => seconds,
            Ttl::OfSoa(seconds) => {
                let place = self.builder.lines().place(line, 1);
                let message = format!("there is no TTL: the SOA's last number is used, {seconds}");
                self.problems.warning(|| (place, message));
                *self.default_ttl.insert(seconds)
            }
        };
        match file.owner.place() {
            Some(Ok(labels)) => {
                let (rdata, problems) = (&self.rdata, &mut self.problems);
                let pushed = self
                    .builder
                    .push(labels, rtype, seconds, line, rdata, problems);
                pushed.map_err(|full| self.stop_at(line, full))
            }
            Some(Err(outside)) if self.is_in_variant => {
                let (owner, zone) = (name::display(outside), name::display(&self.zone));
                let message = format!("{owner} is outside of the zone {zone}");
                self.complain(file.line, 1, message)
            }
            Some(Err(outside)) => {
                let lines = self.builder.lines();
                self.problems.warning(|| {
                    let (owner, zone) = (name::display(outside), name::display(&self.zone));
                    (
                        lines.place(line, 1),
                        format!("{owner} is outside of the zone {zone}: ignored"),
                    )
                });
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Follows a directive.
    fn directive(
        &mut self,
        directive: &[u8],
        lexer: &mut Lexer<'_>,
        file: &mut FileState,
    ) -> Result<Entry, Failure> {
        let directive_at = lexer.token_start();
        match &directive.to_ascii_uppercase()[..] {
            b"$ORIGIN" => {
                let name = EntryScanner {
                    lexer,
                    origin: &file.origin.name,
                }
                .name()?;
                lexer.end_entry()?;
                file.origin = Origin::new(name, &self.zone);
            }
            b"$TTL" => {
                let seconds = ttl(lexer.token()?.raw)?;
                lexer.end_entry()?;
                self.default_ttl = Some(seconds);
            }
            b"$INCLUDE" => {
                return self
                    .include_directive(lexer, file)
                    .map(|include| Entry::Include(Box::new(include)));
            }
            b"$GENERATE" => self.generate(lexer, file)?,
            b"$VARIANT" => self.variant(lexer, file)?,
            _ => {
                let shown = String::from_utf8_lossy(directive);
                let message = format!(
                    "`{shown}` is none of $ORIGIN, $TTL, $INCLUDE, $GENERATE, $VARIANT; \
                     a name that begins with a dollar sign is written \\$"
                );
                return Err(Failure::at(directive_at, message));
            }
        }
        Ok(Entry::Done)
    }

    /// Reads `file [origin]`.
    fn include_directive(
        &mut self,
        lexer: &mut Lexer<'_>,
        file: &FileState,
    ) -> Result<Include, Failure> {
        let token = lexer.token()?;
        let (line, column) = lexer.position(None);
        let mut path = Vec::new();
        append_unescaped(token.raw, &mut path)?;
        let origin = if lexer.has_token()? {
            let name = EntryScanner {
                lexer,
                origin: &file.origin.name,
            }
            .name()?;
            Origin::new(name, &self.zone)
        } else {
            file.origin.clone()
        };
        lexer.end_entry()?;
        let position = (file.line.saturating_add(line), column);
        Ok(Include {
            path: OsString::from_vec(path).into(),
            origin,
            position,
        })
    }
}

/// Reads `[ttl] [class] type`, TTL and class in any order.
pub(super) fn head(lexer: &mut Lexer<'_>) -> Result<(Option<u32>, u16), Failure> {
    let mut written_ttl = None;
    let mut has_class = false;
    loop {
        let token = lexer.token()?;
        if token.raw.first().is_some_and(u8::is_ascii_digit) {
            if written_ttl.replace(ttl(token.raw)?).is_some() {
                return Err(Failure::new("there are two TTLs"));
            }
        } else if !has_class && is_class(token)? {
            has_class = true;
        } else {
            return Ok((written_ttl, record_type(token)?));
        }
    }
}

/// Says whether a token is the class IN; another class is a failure.
fn is_class(token: Token<'_>) -> Result<bool, Failure> {
    let number = token.raw.split_at_checked(5).filter(|(prefix, number)| {
        prefix.eq_ignore_ascii_case(b"CLASS") && number.iter().all(u8::is_ascii_digit)
    });
    if token.raw.eq_ignore_ascii_case(b"IN") || number.is_some_and(|(_, number)| number == b"1") {
        return Ok(true);
    }
    let others: [&[u8]; 4] = [b"CH", b"HS", b"CS", b"NONE"];
    if number.is_some()
        || others
            .iter()
            .any(|other| token.raw.eq_ignore_ascii_case(other))
    {
        let shown = String::from_utf8_lossy(token.raw);
        return Err(Failure::new(format!(
            "the class is {shown}: only IN is served"
        )));
    }
    Ok(false)
}

/// Reads a record's type.
fn record_type(token: Token<'_>) -> Result<u16, Failure> {
    let shown = || String::from_utf8_lossy(token.raw);
    match rtype::from_text(token.raw) {
        Some(rtype) if !rtype::is_meta(rtype) => Ok(rtype),
        Some(_) => Err(Failure::new(format!(
            "{} records do not exist in zones",
            shown()
        ))),
        None => Err(Failure::new(format!(
            "`{}` is neither TTL nor class nor record type",
            shown()
        ))),
    }
}

/// Reads the data of a record, in the form of its type or in that of RFC 3597.
pub(super) fn read_rdata(
    rtype: u16,
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    if scanner.lexer.take_if(br"\#")? {
        field::unknown(scanner, out)?;
    } else {
        for field in rdata::layout(rtype) {
            field::read(*field, scanner, out)?;
        }
    }
    rdata::check(rtype, out).map_err(Failure::new)
}
