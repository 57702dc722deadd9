//! What master files mean, and what is complained about where.

mod problems;
mod records;
mod same;
mod threads;

use super::*;
use crate::name::ROOT;
use crate::zone::error::Severity;
use crate::zone::rtype;

const HEAD: &str = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns.elsewhere.\n";

/// So many threads, and nobody who is told.
fn effort(threads: usize) -> Effort<'static> {
    static PROGRESS: Progress = Progress::none();
    Effort {
        threads,
        progress: &PROGRESS,
    }
}

/// Reads lines behind a SOA and an NS record.
fn parse(text: &str) -> Result<(ZoneRecords, Vec<String>), Vec<String>> {
    parse_whole(&format!("{HEAD}{text}"))
}

fn parse_whole(text: &str) -> Result<(ZoneRecords, Vec<String>), Vec<String>> {
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    shown(read_text(text.as_bytes(), "zone", &origin))
}

/// Turns problems into text, and makes sure that only errors refuse a zone.
fn shown(outcome: Outcome) -> Result<(ZoneRecords, Vec<String>), Vec<String>> {
    let text = |problems: &[ZoneProblem]| problems.iter().map(ToString::to_string).collect();
    match outcome {
        Ok((records, problems)) => {
            assert!(
                problems
                    .iter()
                    .all(|problem| problem.severity == Severity::Warning)
            );
            Ok((records, text(&problems)))
        }
        Err(problems) => {
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.severity == Severity::Error)
            );
            Err(text(&problems))
        }
    }
}

/// Shows the records of a zone that has no problems but warnings.
fn records(text: &str) -> Vec<String> {
    match parse(text) {
        Ok((records, _)) => lines_of(&records),
        Err(problems) => panic!("{problems:?}"),
    }
}

/// Shows each record as `owner ttl type hexadecimal`.
fn lines_of(records: &ZoneRecords) -> Vec<String> {
    let mut lines = Vec::new();
    for owner in records.owners() {
        for rrset in owner.rrsets() {
            for data in rrset.records() {
                let (owner, rtype) = (owner.name(), rtype::display(rrset.rtype()));
                let data: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
                lines.push(format!(
                    "{} {} {rtype} {data}",
                    name::display(&owner),
                    rrset.ttl()
                ));
            }
        }
    }
    lines
}
