//! The cases of the Ferret study (SCALE, NSDI 2022), from the shared data beside the repository:
//! zones, queries, and what BIND, NSD, Knot DNS and PowerDNS answered.

use crate::decoded::{Decoded, Rr, canonical_rdata};
use crate::name::Name;
use crate::record::{Data, type_of};
use crate::zones::{missing, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The cases of a file; none where there is none and need not be.
pub fn cases(file: &str) -> Option<Vec<Value>> {
    let path = shared(&format!("conformance/{file}.jsonl.xz"))?;
    match Command::new("xz").arg("-dc").arg(path).output() {
        Err(error) => missing(&format!("xz: {error}")),
        Ok(output) => {
            let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
            let lines = text.lines().map(serde_json::from_str);
            Some(lines.collect::<Result<_, _>>().expect("a case each line"))
        }
    }
}

/// The origin of a case's zone: the owner of its first SOA record.
pub fn origin(zone: &str) -> &str {
    let first = zone.lines().find(|line| line.contains("SOA"));
    let owner = first.and_then(|line| line.split_whitespace().next());
    owner.unwrap_or(".")
}

/// Servers that must have given one answer for it to count.
const AGREED: usize = 3;

/// The reply that most servers gave; none where fewer than three agree.
pub fn agreed(groups: &Value) -> Option<Agreed> {
    let group = &groups[0];
    let is_agreed = group["servers"].as_array()?.len() >= AGREED;
    is_agreed.then(|| Agreed::read(&group["response"]))
}

/// A record without its TTL, which the study does not compare.
type Record = (Name, u16, Vec<u8>);

/// What servers agreed on.
#[derive(Debug)]
pub struct Agreed {
    rcode: u16,
    aa: bool,
    tc: bool,
    sections: [BTreeSet<Record>; 3],
}

impl Agreed {
    /// Reads the study's form, which is dnspython's.
    fn read(lines: &Value) -> Self {
        let mut agreed = Self {
            rcode: 0,
            aa: false,
            tc: false,
            sections: Default::default(),
        };
        let mut section = None;
        for line in lines.as_array().expect("lines") {
            let line = line.as_str().expect("text");
            match (line.split_once(' '), section) {
                (Some(("rcode", rcode)), None) => agreed.rcode = rcode_of(rcode),
                (Some(("flags", flags)), None) => {
                    let has = |flag| flags.split(' ').any(|other| other == flag);
                    (agreed.aa, agreed.tc) = (has("AA"), has("TC"));
                }
                _ => match line {
                    ";QUESTION" => section = Some(None),
                    ";ANSWER" => section = Some(Some(0)),
                    ";AUTHORITY" => section = Some(Some(1)),
                    ";ADDITIONAL" => section = Some(Some(2)),
                    record => {
                        if let Some(Some(at)) = section {
                            let set: &mut BTreeSet<_> = &mut agreed.sections[at];
                            set.insert(record_of(record));
                        }
                    }
                },
            }
        }
        agreed
    }

    /// In what a reply differs, as the study compares; none where it does not. The authority
    /// section counts where there is no answer.
    pub fn difference(&self, reply: &Decoded) -> Option<&'static str> {
        let sections = [0, 1, 2].map(|at| set(&reply.sections[at]));
        let is_same = |at: usize| sections[at] == self.sections[at];
        let is_answered = !sections[0].is_empty() && !self.sections[0].is_empty();
        let checks = [
            ("rcode", reply.rcode == self.rcode),
            ("AA", reply.aa == self.aa),
            ("TC", reply.tc == self.tc),
            ("answer", is_same(0)),
            ("additional", is_same(2)),
            ("authority", is_answered || is_same(1)),
        ];
        let wrong = checks.into_iter().find(|(_, same)| !same);
        wrong.map(|(part, _)| part)
    }
}

fn set(section: &[Rr]) -> BTreeSet<Record> {
    let records = section.iter().map(Rr::canonical);
    records
        .map(|(owner, rtype, _, rdata)| (owner, rtype, rdata))
        .collect()
}

/// Reads a record in presentation form.
fn record_of(line: &str) -> Record {
    let words: Vec<_> = line.splitn(5, ' ').collect();
    let &[owner, _, "IN", rtype, data] = &words[..] else {
        panic!("no record: {line}");
    };
    let rtype = type_of(rtype).unwrap_or_else(|| panic!("type of {line}"));
    let data = Data::parse(rtype, data).unwrap_or_else(|| panic!("data of {line}"));
    let rdata = canonical_rdata(rtype, data.wire());
    (Name::parse(owner).lowered(), rtype, rdata)
}

fn rcode_of(text: &str) -> u16 {
    let known = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN",
    ];
    let at = known.iter().position(|known| *known == text);
    let code = at.unwrap_or_else(|| panic!("response code {text}"));
    u16::try_from(code).expect("small")
}
