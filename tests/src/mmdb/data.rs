//! The data section: values one behind the other, and pointers to what was written before.

use std::collections::HashMap;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// Names and what they stand for.
    Map(Vec<(String, Self)>),
    /// A list.
    Array(Vec<Self>),
    /// UTF-8.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
    /// 64 bits of floating point.
    Double(f64),
    /// 32 bits of floating point.
    Float(f32),
    /// 16 bits.
    U16(u16),
    /// 32 bits.
    U32(u32),
    /// 32 bits with a sign.
    I32(i32),
    /// 64 bits.
    U64(u64),
    /// Yes or no.
    Bool(bool),
}

impl Datum {
    /// A map from pairs.
    pub fn map<const N: usize>(pairs: [(&str, Self); N]) -> Self {
        Self::Map(pairs.map(|(name, datum)| (name.to_owned(), datum)).into())
    }

    /// What MaxMind's databases say of a country in a continent.
    pub fn country(continent: &str, country: &str) -> Self {
        let text = |text: &str| Self::Text(text.to_owned());
        Self::map([
            ("continent", Self::map([("code", text(continent))])),
            ("country", Self::map([("iso_code", text(country))])),
        ])
    }

    /// What they say of an autonomous system.
    pub fn asn(number: u32) -> Self {
        let organization = Self::Text(format!("Example {number}"));
        Self::map([
            ("autonomous_system_number", Self::U32(number)),
            ("autonomous_system_organization", organization),
        ])
    }

    /// The same, with more.
    #[must_use]
    pub fn with(self, name: &str, datum: Self) -> Self {
        let Self::Map(mut pairs) = self else {
            panic!("only a map has names")
        };
        pairs.push((name.to_owned(), datum));
        Self::Map(pairs)
    }

    /// The same in parts of the country, the largest first.
    #[must_use]
    pub fn within(self, parts: &[&str]) -> Self {
        let code = |part: &&str| Self::map([("iso_code", Self::Text((*part).to_owned()))]);
        self.with(
            "subdivisions",
            Self::Array(parts.iter().map(code).collect()),
        )
    }

    /// The same at a place.
    #[must_use]
    pub fn at(self, latitude: f64, longitude: f64) -> Self {
        let location = Self::map([
            ("latitude", Self::Double(latitude)),
            ("longitude", Self::Double(longitude)),
        ]);
        self.with("location", location)
    }
}

/// The types' numbers; those from 8 on have a byte of their own.
mod kind {
    pub(super) const POINTER: u8 = 1;
    pub(super) const TEXT: u8 = 2;
    pub(super) const DOUBLE: u8 = 3;
    pub(super) const BYTES: u8 = 4;
    pub(super) const U16: u8 = 5;
    pub(super) const U32: u8 = 6;
    pub(super) const MAP: u8 = 7;
    pub(super) const I32: u8 = 8;
    pub(super) const U64: u8 = 9;
    pub(super) const ARRAY: u8 = 11;
    pub(super) const BOOL: u8 = 14;
    pub(super) const FLOAT: u8 = 15;
}

/// A data section under construction.
#[derive(Default)]
pub(super) struct DataSection {
    pub(super) bytes: Vec<u8>,
    /// Where a value is, by what it is without pointers.
    places: HashMap<Vec<u8>, usize>,
}

impl DataSection {
    /// Where a value is; it is written if it was not there.
    pub(super) fn place(&mut self, datum: &Datum) -> usize {
        let plain = encode(datum);
        if let Some(place) = self.places.get(&plain) {
            return *place;
        }
        let place = self.bytes.len();
        self.write(datum);
        self.places.insert(plain, place);
        place
    }

    /// Writes a value or, where there is one like it and it is long enough, a pointer to that.
    fn put(&mut self, datum: &Datum) {
        let plain = encode(datum);
        match self.places.get(&plain) {
            Some(place) if plain.len() > 3 => {
                let pointer = pointer(*place);
                self.bytes.extend(pointer);
            }
            _ => {
                let place = self.bytes.len();
                self.write(datum);
                self.places.insert(plain, place);
            }
        }
    }

    fn write(&mut self, datum: &Datum) {
        match datum {
            Datum::Map(pairs) => {
                head(&mut self.bytes, kind::MAP, pairs.len());
                for (name, datum) in pairs {
                    self.put(&Datum::Text(name.clone()));
                    self.put(datum);
                }
            }
            Datum::Array(items) => {
                head(&mut self.bytes, kind::ARRAY, items.len());
                items.iter().for_each(|item| self.put(item));
            }
            scalar => self.bytes.extend(encode(scalar)),
        }
    }
}

/// A value without pointers.
pub(super) fn encode(datum: &Datum) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |kind, payload: &[u8]| {
        head(&mut bytes, kind, payload.len());
        bytes.extend(payload);
    };
    match datum {
        Datum::Text(text) => put(kind::TEXT, text.as_bytes()),
        Datum::Bytes(payload) => put(kind::BYTES, payload),
        Datum::Double(number) => put(kind::DOUBLE, &number.to_be_bytes()),
        Datum::Float(number) => put(kind::FLOAT, &number.to_be_bytes()),
        Datum::U16(number) => put(kind::U16, without_zeros(&number.to_be_bytes())),
        Datum::U32(number) => put(kind::U32, without_zeros(&number.to_be_bytes())),
        Datum::U64(number) => put(kind::U64, without_zeros(&number.to_be_bytes())),
        Datum::I32(number) => put(kind::I32, &number.to_be_bytes()),
        Datum::Bool(yes) => head(&mut bytes, kind::BOOL, usize::from(*yes)),
        Datum::Map(pairs) => {
            head(&mut bytes, kind::MAP, pairs.len());
            for (name, datum) in pairs {
                bytes.extend(encode(&Datum::Text(name.clone())));
                bytes.extend(encode(datum));
            }
        }
        Datum::Array(items) => {
            head(&mut bytes, kind::ARRAY, items.len());
            items.iter().for_each(|item| bytes.extend(encode(item)));
        }
    }
    bytes
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// The control byte of a value and what belongs to it.
fn head(bytes: &mut Vec<u8>, kind: u8, size: usize) {
    let size = u32::try_from(size).expect("a small value");
    // What does not fit into five bits follows in one, two or three bytes.
    let (short, extra, count) = match size {
        0..29 => (size, 0, 0),
        29..285 => (29, size - 29, 1),
        285..65_821 => (30, size - 285, 2),
        _ => (31, size - 65_821, 3),
    };
    let short = u8::try_from(short).expect("five bits");
    match kind {
        0..8 => bytes.push(kind << 5 | short),
        _ => bytes.extend([short, kind - 7]),
    }
    bytes.extend(&extra.to_be_bytes()[4 - count..]);
}

/// A pointer to a place in the data section.
fn pointer(place: usize) -> Vec<u8> {
    let place = u32::try_from(place).expect("a small database");
    let (size, value) = match place {
        0..2048 => (0, place),
        2048..526_336 => (1, place - 2048),
        526_336..134_744_064 => (2, place - 526_336),
        _ => (3, place),
    };
    let bytes = value.to_be_bytes();
    let start = match size {
        3 => return [&[kind::POINTER << 5 | 3 << 3][..], &bytes].concat(),
        size => 2 - size,
    };
    let first = bytes[start] | kind::POINTER << 5 | u8::try_from(size << 3).expect("two bits");
    [&[first][..], &bytes[start + 1..]].concat()
}
