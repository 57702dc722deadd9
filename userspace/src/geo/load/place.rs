//! What a database says of a network.

use crate::geo::Coordinates;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a database can know, in the order in which it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The autonomous system.
    Asn,
    /// A part of a country.
    Subdivision,
    /// The country.
    Country,
    /// The continent.
    Continent,
    /// Latitude and longitude.
    Coordinates,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Asn,
        Self::Subdivision,
        Self::Country,
        Self::Continent,
        Self::Coordinates,
    ];

    /// What the rules about it are called in the configuration.
    pub fn option(self) -> &'static str {
        match self {
            Self::Asn => "asn",
            Self::Subdivision => "subdivision",
            Self::Country => "country",
            Self::Continent => "continent",
            Self::Coordinates => "nearest",
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asn => "autonomous systems",
            Self::Subdivision => "subdivisions of countries",
            Self::Country => "countries",
            Self::Continent => "continents",
            Self::Coordinates => "coordinates",
        }
    }
}

/// What a database says of a network; nothing where it does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// ISO 3166-2 codes, as in `GB-ENG`, from the largest part to the smallest.
    pub subdivisions: Vec<String>,
    /// ISO 3166-1 code.
    pub country: Option<String>,
    /// Code of the continent.
    pub continent: Option<String>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
}

impl Place {
    /// Whether this is known.
    pub fn knows(&self, field: Field) -> bool {
        match field {
            Field::Asn => self.asn.is_some(),
            Field::Subdivision => !self.subdivisions.is_empty(),
            Field::Country => self.country.is_some(),
            Field::Continent => self.continent.is_some(),
            Field::Coordinates => self.coordinates.is_some(),
        }
    }
}

impl From<Record<'_>> for Place {
    fn from(record: Record<'_>) -> Self {
        let country = record.country.iso_code;
        let subdivisions = record.subdivisions.iter();
        let codes =
            subdivisions.filter_map(|part| Some(format!("{}-{}", country?, part.iso_code?)));
        let Location {
            latitude,
            longitude,
        } = record.location;
        let asn = record
            .autonomous_system_number
            .or(record.traits.autonomous_system_number);
        Self {
            asn: asn.and_then(Number::whole).filter(|asn| *asn > 0),
            subdivisions: codes.collect(),
            country: country.map(str::to_owned),
            continent: record.continent.code.map(str::to_owned),
            coordinates: latitude
                .zip(longitude)
                .and_then(|(latitude, longitude)| Coordinates::of(latitude.0, longitude.0)),
        }
    }
}

/// The part of a record that counts here, as MaxMind's City, Country, ASN, ISP and Enterprise
/// databases lay it out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    autonomous_system_number: Option<Number>,
    #[serde(borrow)]
    subdivisions: Vec<Coded<'a>>,
    country: Coded<'a>,
    continent: Continent<'a>,
    location: Location,
    traits: Traits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Coded<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Continent<'a> {
    code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Location {
    latitude: Option<Number>,
    longitude: Option<Number>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traits {
    autonomous_system_number: Option<Number>,
}

/// A number of any type: writers other than MaxMind's have floats for doubles, and choose among the
/// integers.
#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl Number {
    /// The number of 32 bits that it is.
    fn whole(self) -> Option<u32> {
        let is_whole = self.0.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&self.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range"
        )]
        let whole = self.0 as u32;
        is_whole.then_some(whole)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;

        impl Visitor<'_> for AnyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                i32::try_from(number)
                    .map(|number| Number(number.into()))
                    .map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                u32::try_from(number)
                    .map(|number| Number(number.into()))
                    .map_err(E::custom)
            }
        }

        deserializer.deserialize_any(AnyNumber)
    }
}
