//! Scripts of queries and the replies to them; `tests/fixtures/README.md` describes their format.

mod parse;
mod run;

use crate::decoded::Decoded;
use crate::name::Name;
use std::path::Path;

/// A file of exchanges with one server.
#[derive(Debug)]
pub struct Script {
    /// Where it was read.
    file: String,
    /// Origin and master file of each zone.
    zones: Vec<(String, String)>,
    exchanges: Vec<Step>,
}

/// A query and what it is answered with.
#[derive(Debug)]
struct Step {
    line: usize,
    /// What it shows: the `test` line above it.
    title: String,
    query: Vec<u8>,
    over: Over,
    reply: Option<Wanted>,
}

/// Which transports an exchange speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Both, with the same reply.
    Any,
    /// Only UDP.
    Udp,
    /// Only TCP.
    Tcp,
}

/// A reply as a script says it.
#[derive(Debug, Default)]
struct Wanted {
    rcode: u16,
    /// The words for flags and EDNS, sorted.
    flags: Vec<String>,
    /// Answer, authority, additional.
    sections: [Vec<WantedRecord>; 3],
}

/// A record, or so many of an RRset.
#[derive(Debug)]
struct WantedRecord {
    owner: Name,
    ttl: u32,
    rtype: u16,
    data: WantedData,
}

#[derive(Debug)]
enum WantedData {
    /// Uncompressed.
    One(Vec<u8>),
    /// Any data, in so many records.
    Count(usize),
}

impl Script {
    /// Reads a script.
    ///
    /// # Panics
    /// Where it is not well-formed, naming the line.
    pub fn read(path: &Path) -> Self {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
        parse::script(&file, &text)
    }

    /// Holds all exchanges over all transports. Returns what was not as written, a line each.
    pub fn run(&self) -> Vec<String> {
        run::script(self)
    }
}

/// The words for what a reply's header and OPT record say.
fn flags(reply: &Decoded) -> Vec<String> {
    let edns = reply.edns.as_ref();
    let words = [
        (reply.aa, "aa"),
        (reply.tc, "tc"),
        (reply.rd, "rd"),
        (reply.ra, "ra"),
        (reply.ad, "ad"),
        (reply.cd, "cd"),
        (edns.is_some(), "edns"),
        (edns.is_some_and(|edns| edns.dnssec_ok), "do"),
        (reply.questions.is_empty(), "noquestion"),
    ];
    let mut words: Vec<_> = words
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, word)| (*word).to_owned())
        .collect();
    words.sort();
    words
}
