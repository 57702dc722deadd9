//! Filters of queries, as they are written in options and requests.

use super::{ConfigError, names, networks};
use crate::querylog::Filter;
use crate::telemetry::Rcode;
use crate::zone::rtype;
use serde::{Deserialize, Serialize};

/// What a query and its reply must be like: of each list one item must fit, but a name may be in
/// either; an empty list is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterText {
    /// QNAME is one of these, or below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// QNAME is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exact_names: Vec<String>,
    /// QTYPE, as in `AAAA`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// The response code, as in `NXDOMAIN`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rcodes: Vec<String>,
    /// The client's address, as in `192.0.2.0/24`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
}

impl FilterText {
    /// How much is listed, in all.
    pub fn items(&self) -> usize {
        let lists = [
            &self.names,
            &self.exact_names,
            &self.types,
            &self.rcodes,
            &self.networks,
        ];
        lists.into_iter().map(Vec::len).sum()
    }

    /// What it says; a problem is one of the list's `option`.
    pub fn filter(&self, option: impl Fn(&str) -> String) -> Result<Filter, ConfigError> {
        let fail = |key: &str, problem: String| ConfigError::option(option(key), problem);
        let qtype = |text: &String| {
            rtype::from_text(text.as_bytes()).ok_or_else(|| {
                fail(
                    "types",
                    format!("{text:?} is no type, as in AAAA or TYPE65"),
                )
            })
        };
        let rcode = |text: &String| {
            let named = |rcode: &&Rcode| rcode.label().eq_ignore_ascii_case(text);
            Rcode::ALL
                .iter()
                .find(named)
                .map(|rcode| rcode.code())
                .ok_or_else(|| fail("rcodes", format!("{text:?} is none, as in NXDOMAIN")))
        };
        Ok(Filter {
            names: names::names(&option("names"), &self.names)?,
            exact_names: names::names(&option("exact_names"), &self.exact_names)?,
            types: self.types.iter().map(qtype).collect::<Result<_, _>>()?,
            rcodes: self.rcodes.iter().map(rcode).collect::<Result<_, _>>()?,
            networks: networks::networks(&option("networks"), &self.networks)?,
        })
    }
}
