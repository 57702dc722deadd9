//! The command line of live streams.

use super::FilterText;
use crate::geo::Network;
use crate::querylog::By;
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;

/// Which queries a live stream is about.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct FilterArguments {
    /// name=NAME (and below), exact=NAME, type=TYPE, rcode=RCODE, client=ADDR[/BITS]; of several of
    /// a kind one must fit
    #[arg(value_name = "FILTER", value_parser = word)]
    pub words: Vec<FilterWord>,
    /// Look at one of N queries only
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: u32,
}

/// Options of `ctl tail`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct TailArguments {
    /// Which queries.
    #[command(flatten)]
    pub filter: FilterArguments,
    /// End after N queries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// Options of `ctl top`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct TopArguments {
    /// Which queries.
    #[command(flatten)]
    pub filter: FilterArguments,
    /// names, types, clients, rcodes, countries, or all
    #[arg(long, value_name = "LIST", default_value = "all", value_delimiter = ',',
        value_parser = by)]
    pub by: Vec<TopList>,
    /// Length of each list
    #[arg(short = 'n', long = "length", value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..=100))]
    pub len: u16,
    /// How often to show it, as in 500ms, 1s or 5m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub every: Duration,
    /// End after the first
    #[arg(long)]
    pub once: bool,
    /// Count from the beginning, and not anew each time
    #[arg(long)]
    pub total: bool,
}

/// A list of `ctl top`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopList {
    /// This one.
    One(By),
    /// All that there are.
    All,
}

/// A condition: its kind and what must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterWord {
    /// This name, or one below it.
    Name(String),
    /// This name.
    Exact(String),
    /// This type.
    Type(String),
    /// This response code.
    Rcode(String),
    /// A client in this network.
    Client(String),
}

impl FilterArguments {
    /// The conditions, by kind.
    pub fn text(&self) -> FilterText {
        let mut text = FilterText::default();
        for word in self.words.iter().cloned() {
            match word {
                FilterWord::Name(name) => text.names.push(name),
                FilterWord::Exact(name) => text.exact_names.push(name),
                FilterWord::Type(qtype) => text.types.push(qtype),
                FilterWord::Rcode(rcode) => text.rcodes.push(rcode),
                FilterWord::Client(network) => text.networks.push(network),
            }
        }
        text
    }
}

impl TopArguments {
    /// The lists; none: all that there are.
    pub fn lists(&self) -> Vec<By> {
        let one = |list: &TopList| match list {
            TopList::One(by) => Some(*by),
            TopList::All => None,
        };
        let lists: Option<Vec<By>> = self.by.iter().map(one).collect();
        lists.unwrap_or_default()
    }
}

fn word(text: &str) -> Result<FilterWord, String> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.to_owned();
    match kind {
        _ if value.is_empty() => Err("it is not KIND=VALUE, as in type=AAAA".to_owned()),
        "name" => Ok(FilterWord::Name(value)),
        "exact" => Ok(FilterWord::Exact(value)),
        "type" => Ok(FilterWord::Type(value)),
        "rcode" => Ok(FilterWord::Rcode(value)),
        "client" => Ok(FilterWord::Client(match value.parse::<IpAddr>() {
            Ok(address) => Network::single(address).to_string(),
            Err(_) => value,
        })),
        _ => Err("the kinds are name, exact, type, rcode and client".to_owned()),
    }
}

fn by(text: &str) -> Result<TopList, String> {
    if text == "all" {
        return Ok(TopList::All);
    }
    let known = By::ALL.into_iter().find(|by| by.label() == text);
    known.map(TopList::One).ok_or_else(|| {
        let labels = By::ALL.map(By::label).join(", ");
        format!("there are {labels} and all")
    })
}

/// Reads `500ms`, `1s`, `5m` or `2h`; a number alone is in seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is no time, as in 500ms, 1s or 5m");
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| problem())?;
    let unit_ms = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(problem()),
    };
    let ms = number.checked_mul(unit_ms).ok_or_else(problem)?;
    Ok(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_sorted_by_kind() {
        let words = [
            "name=a.",
            "type=A",
            "exact=b",
            "name=c",
            "rcode=x",
            "client=::1",
            "client=192.0.2.0/24",
        ];
        let words = words.map(|text| word(text).unwrap()).to_vec();
        let filter = FilterArguments { words, sample: 1 };
        let text = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let expected = FilterText {
            names: text(&["a.", "c"]),
            exact_names: text(&["b"]),
            types: text(&["A"]),
            rcodes: text(&["x"]),
            networks: text(&["::1/128", "192.0.2.0/24"]),
        };
        assert_eq!(filter.text(), expected);
        for bad in ["", "example.org", "name=", "qname=x"] {
            assert!(word(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, ms) in [("500ms", 500), ("2", 2_000), ("1s", 1_000), ("5m", 300_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)));
        }
        for bad in ["", "s", "1d", "-1s", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
