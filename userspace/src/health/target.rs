//! What can be up or down.

use crate::name;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Something that is answered with or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// An address, of whichever names have it.
    Address(IpAddr),
    /// What a name has for the clients of a region.
    Variant {
        /// The name in lowered wire form.
        name: Vec<u8>,
        /// As it is written behind `$VARIANT`.
        region: String,
    },
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        // Names may have slashes, regions have none.
        let Some((name, region)) = text.rsplit_once('/') else {
            return Err(format!(
                "{text:?} is neither an address nor NAME/REGION, as in www.example.com/eu"
            ));
        };
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if region != "*" && (region.is_empty() || !region.bytes().all(is_word)) {
            return Err(format!("{text:?}: {region:?} is no region's name"));
        }
        let region = region.to_owned();
        name::lowered_from_text(name)
            .map(|name| Self::Variant { name, region })
            .map_err(|error| format!("{name:?} is no name: {error}"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Variant { name, region } => {
                let name = name::display(name).to_string();
                let name = name.strip_suffix('.').filter(|rest| !rest.is_empty());
                write!(f, "{}/{region}", name.unwrap_or("."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_variants_are_read_as_they_are_written() {
        for text in [
            "192.0.2.1",
            "2001:db8::1",
            "www.example.com/eu",
            "0/26.2.0.192.in-addr.arpa/us-west",
            "./*",
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
        let upper: Target = "WWW.Example.com./eu".parse().unwrap();
        assert_eq!(upper.to_string(), "www.example.com/eu");
        for text in [
            "www.example.com",
            "192.0.2.256",
            "a/",
            "a/b c",
            "a..b/eu",
            "",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
