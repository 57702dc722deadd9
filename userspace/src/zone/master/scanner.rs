//! The tokens of one entry as `domain`'s [`Scanner`], so that its types read themselves from our
//! text.

use domain::base::Name;
use domain::base::charstr::CharStr;
use domain::base::scan::{ConvertSymbols, EntrySymbol, Scanner, Symbol};
use domain::dep::octseq::str::Str;

use super::failure::Failure;
use super::lexer::{Lexer, Token};
use crate::name::{NameBuf, ROOT, unescape};

/// The tokens of one entry.
pub(super) struct EntryScanner<'e, 't> {
    pub(super) lexer: &'e mut Lexer<'t>,
    /// What a relative name goes on with, in wire form.
    pub(super) origin: &'e [u8],
}

impl<'t> EntryScanner<'_, 't> {
    /// Takes the next token.
    pub(super) fn token(&mut self) -> Result<Token<'t>, Failure> {
        self.lexer.token()
    }

    /// Takes a token and reads it as a domain name; `@` is the origin.
    pub(super) fn name(&mut self) -> Result<NameBuf, Failure> {
        let mut name = NameBuf::new();
        self.read_name(&mut name)?;
        Ok(name)
    }

    /// Takes a token and appends it as a domain name in wire form.
    pub(super) fn append_name(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mut name = NameBuf::new();
        self.read_name(&mut name)?;
        out.extend_from_slice(&name);
        Ok(())
    }

    /// Takes a token and reads it into an empty name.
    fn read_name(&mut self, name: &mut NameBuf) -> Result<(), Failure> {
        let token = self.lexer.token()?;
        let is_origin = (token.raw, token.is_quoted) == (b"@", false);
        let is_absolute = !is_origin && name.push_text(token.raw)?;
        name.push_wire(if is_absolute { ROOT } else { self.origin })?;
        Ok(())
    }

    /// Takes a token and appends its octets, escapes resolved.
    pub(super) fn append_octets(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let token = self.lexer.token()?;
        append_unescaped(token.raw, out)
    }

    /// Takes a token and appends it as a character string.
    pub(super) fn append_text(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let length_at = out.len();
        out.push(0);
        self.append_octets(out)?;
        out[length_at] = u8::try_from(out.len() - length_at - 1)
            .map_err(|_| Failure::new("a character string is longer than 255 octets: split it"))?;
        Ok(())
    }

    /// Takes a token and gives its symbols to `op`.
    fn symbols(
        &mut self,
        mut op: impl FnMut(Symbol) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let token = self.lexer.token()?;
        let mut at = 0;
        let bad_symbol = |_| Failure::new("this is neither a character nor an escape");
        while let Some((symbol, next)) =
            Symbol::from_slice_index(token.raw, at).map_err(bad_symbol)?
        {
            op(symbol)?;
            at = next;
        }
        Ok(())
    }
}

/// Appends octets with their escapes resolved.
pub(super) fn append_unescaped(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    let plain = raw
        .iter()
        .position(|octet| *octet == b'\\')
        .unwrap_or(raw.len());
    let (plain, escaped) = raw.split_at(plain);
    out.extend_from_slice(plain);
    let mut rest = escaped.iter();
    while let Some(&octet) = rest.next() {
        out.push(match octet {
            b'\\' => unescape(&mut rest).ok_or(crate::name::NameError::BadEscape)?,
            plain => plain,
        });
    }
    Ok(())
}

impl Scanner for EntryScanner<'_, '_> {
    type Octets = Vec<u8>;
    type OctetsBuilder = Vec<u8>;
    type Name = Name<Vec<u8>>;
    type Error = Failure;

    fn has_space(&self) -> bool {
        self.lexer.has_space()
    }

    fn continues(&mut self) -> bool {
        // A failure comes up again when the token is asked for.
        self.lexer.has_token().unwrap_or(true)
    }

    fn scan_symbols<F>(&mut self, op: F) -> Result<(), Failure>
    where
        F: FnMut(Symbol) -> Result<(), Failure>,
    {
        self.symbols(op)
    }

    fn scan_entry_symbols<F>(&mut self, mut op: F) -> Result<(), Failure>
    where
        F: FnMut(EntrySymbol) -> Result<(), Failure>,
    {
        while self.lexer.has_token()? {
            self.symbols(|symbol| op(symbol.into()))?;
            op(EntrySymbol::EndOfToken)?;
        }
        Ok(())
    }

    fn convert_token<C: ConvertSymbols<Symbol, Failure>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        self.symbols(|symbol| {
            octets.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or_default());
            Ok(())
        })?;
        octets.extend_from_slice(convert.process_tail()?.unwrap_or_default());
        Ok(octets)
    }

    fn convert_entry<C: ConvertSymbols<EntrySymbol, Failure>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        self.scan_entry_symbols(|symbol| {
            octets.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or_default());
            Ok(())
        })?;
        octets.extend_from_slice(convert.process_tail()?.unwrap_or_default());
        Ok(octets)
    }

    fn scan_octets(&mut self) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        self.append_octets(&mut octets)?;
        Ok(octets)
    }

    fn scan_svcb_octets(&mut self) -> Result<Vec<u8>, Failure> {
        let mut octets = self.scan_octets()?;
        if octets.ends_with(b"=")
            && let Some(value) = self.lexer.adjacent_quoted_token()?
        {
            append_unescaped(value.raw, &mut octets)?;
        }
        Ok(octets)
    }

    fn scan_ascii_str<F, T>(&mut self, op: F) -> Result<T, Failure>
    where
        F: FnOnce(&str) -> Result<T, Failure>,
    {
        let octets = self.scan_octets()?;
        match str::from_utf8(&octets) {
            Ok(text) if text.is_ascii() => op(text),
            _ => Err(Failure::new("only ASCII characters can stand here")),
        }
    }

    fn scan_name(&mut self) -> Result<Name<Vec<u8>>, Failure> {
        let name = self.name()?;
        Name::from_octets(name.to_vec()).map_err(|_| Failure::new("this is no domain name"))
    }

    fn scan_charstr(&mut self) -> Result<CharStr<Vec<u8>>, Failure> {
        CharStr::from_octets(self.scan_octets()?)
            .map_err(|_| Failure::new("a character string is longer than 255 octets: split it"))
    }

    fn scan_string(&mut self) -> Result<Str<Vec<u8>>, Failure> {
        Str::from_utf8(self.scan_octets()?).map_err(|_| Failure::new("this text is not UTF-8"))
    }

    fn scan_charstr_entry(&mut self) -> Result<Vec<u8>, Failure> {
        let mut octets = Vec::new();
        loop {
            self.append_text(&mut octets)?;
            if !self.lexer.has_token()? {
                return Ok(octets);
            }
        }
    }

    fn scan_opt_unknown_marker(&mut self) -> Result<bool, Failure> {
        self.lexer.take_if(br"\#")
    }

    fn octets_builder(&mut self) -> Result<Vec<u8>, Failure> {
        Ok(Vec::new())
    }
}
