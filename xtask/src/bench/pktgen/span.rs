//! A span of values, both ends included: `A` or `A-B`.

use std::fmt;
use std::str::FromStr;

/// From `first` to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<T> {
    /// The least value.
    pub(super) first: T,
    /// The greatest.
    pub(super) last: T,
}

impl<T: PartialEq> Span<T> {
    /// Whether there is no choice.
    pub(super) fn is_one(&self) -> bool {
        self.first == self.last
    }
}

impl<T: FromStr + PartialOrd + Copy> FromStr for Span<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = |part: &str| {
            let value = part.parse::<T>().ok();
            value.ok_or_else(|| format!("{part:?} is out of place; `A` or `A-B` is meant"))
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (value(first)?, value(last)?);
        if first > last {
            return Err("the lower end comes first".to_owned());
        }
        Ok(Self { first, last })
    }
}

impl<T: fmt::Display + PartialEq> fmt::Display for Span<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_one() {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn a_span_is_one_value_or_two_in_order() {
        let span = |text: &str| text.parse::<Span<u16>>();
        assert_eq!(
            span("53"),
            Ok(Span {
                first: 53,
                last: 53
            })
        );
        assert_eq!(span("1-2").unwrap().to_string(), "1-2");
        assert!(span("2-1").unwrap_err().contains("lower end"));
        assert!(span("1-65536").unwrap_err().contains("\"65536\""));
        let addresses: Span<IpAddr> = "198.18.0.9-198.18.0.10".parse().unwrap();
        assert!(!addresses.is_one());
    }
}
