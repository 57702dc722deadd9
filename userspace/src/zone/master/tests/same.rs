//! The same text read in different ways is the same zone.

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData as _;
use domain::rdata::ZoneRecordData;

use super::*;
use crate::zone::master::failure::Failure;
use crate::zone::master::lexer::Lexer;
use crate::zone::master::scanner::EntryScanner;
use crate::zone::master::{entry, source};

/// One record at least of every type that BIND reads.
const ALL_TYPES: &str = include_str!("../../../../../tests/fixtures/all-types.zone");

#[test]
fn the_order_of_the_text_does_not_matter() {
    let lines: Vec<&str> = "a.b 1 A 192.0.2.1\nb 1 A 192.0.2.1\nZ.a.b 1 A 192.0.2.1\n\
             \\000.b 1 A 192.0.2.1\n\
         \\001.b 1 A 192.0.2.1\n*.b 1 A 192.0.2.1\nb 1 TXT x\nb 1 TXT a\na-b 1 A 192.0.2.2\n\
         a-b 1 A 192.0.2.1\n\
         aaaaaaaaaaaaaaaaaaaaaa.b 1 A 192.0.2.1\naaaaaaaaaaaaaaaaaaaaaa.a.b 1 A 192.0.2.1\n\
         aaaaaaaaaaaaaaaaaaaaab.b 1 A 192.0.2.1"
        .lines()
        .collect();
    // Where a label ends and where it has a zero octet must not look alike.
    let lines: Vec<&str> = lines.into_iter().chain([r"b\000 1 A 192.0.2.1"]).collect();
    let (zone, _) = parse(&lines.join("\n")).unwrap();
    let names: Vec<_> = zone.owners().map(|owner| owner.name()).collect();
    assert!(
        names.is_sorted_by(|left, right| name::canonical_cmp(left, right).is_lt()),
        "{names:?}"
    );
    let expected = records(&lines.join("\n"));
    let mut owners: Vec<_> = expected
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    owners.dedup();
    let unique: BTreeSet<_> = owners.iter().collect();
    assert_eq!(owners.len(), unique.len(), "each owner once: {owners:?}");
    for turn in 0..lines.len() {
        let mut turned = lines.clone();
        turned.rotate_left(turn);
        assert_eq!(records(&turned.join("\n")), expected);
        turned.reverse();
        assert_eq!(records(&turned.join("\n")), expected);
    }
}

#[test]
fn every_window_shows_the_same_zone() {
    let origin = NameBuf::from_text(b"types.test.", ROOT).unwrap();
    let read = |window_len| {
        let input = ALL_TYPES.as_bytes();
        shown(crate::zone::master::read(
            input,
            input.len(),
            window_len,
            "zone",
            &origin,
            effort(1),
        ))
        .unwrap()
    };
    let expected = read(source::WINDOW_LEN);
    assert!(expected.0.record_count() > 100);
    for window_len in (1..64).chain([100, 1000]) {
        let got = read(window_len);
        assert_eq!(
            lines_of(&got.0),
            lines_of(&expected.0),
            "a window of {window_len}"
        );
        assert_eq!(got.1, expected.1, "a window of {window_len}");
    }
}

#[test]
fn every_window_shows_the_same_errors() {
    let text = format!(
        "{HEAD}a 1 A ( 1\nb 1 A x\n c 1\n\"d\n( e\n f\n )\n\\\n$TTL\n;\n\"x\\\"y\" 1 A 192.0.2.1\n\
         )\n("
    );
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    let read = |window_len| {
        let read = crate::zone::master::read(
            text.as_bytes(),
            text.len(),
            window_len,
            "zone",
            &origin,
            effort(1),
        );
        shown(read)
            .map(|(records, _)| records.record_count())
            .unwrap_err()
    };
    let expected = read(source::WINDOW_LEN);
    assert!(expected.len() > 5, "{expected:?}");
    for window_len in 1..64 {
        assert_eq!(read(window_len), expected, "a window of {window_len}");
    }
}

/// `domain`'s own types, read through our scanner, are an independent opinion on the fields that we
/// read.
#[test]
fn domain_reads_the_same_data_through_our_scanner() {
    // Not in domain 0.12: mnemonics of algorithms, units in SOA, RFC 3597 within the type, escapes
    // in lists.
    let unknown = [
        "RSASHA256",
        "ECDSAP256SHA256",
        "host\\.master",
        "\\#",
        "key9999",
        "oo\\\\,bar",
    ];
    let mut compared = BTreeSet::new();
    let origin = NameBuf::from_text(b"types.test.", ROOT).unwrap();
    let single_lines = ALL_TYPES
        .lines()
        .filter(|line| !line.contains(['(', ')', '$']));
    for line in single_lines.filter(|line| !unknown.iter().any(|text| line.contains(text))) {
        let mut lexer = Lexer::new(line.as_bytes(), true);
        let Ok(Some(begins_blank)) = lexer.begin_entry() else {
            continue;
        };
        if !lexer.has_token().unwrap() {
            continue;
        }
        if !begins_blank {
            lexer.token().unwrap();
        }
        // Lines that go on with an entry begin with something else.
        let Ok((_, rtype)) = entry::head(&mut lexer) else {
            continue;
        };
        let mut ours = Vec::new();
        let rest = &line.as_bytes()[lexer.at()..];
        let mut scanner = EntryScanner {
            lexer: &mut lexer,
            origin: &origin,
        };
        entry::read_rdata(rtype, &mut scanner, &mut ours).unwrap();
        let mut lexer = Lexer::new(rest, true);
        let mut scanner = EntryScanner {
            lexer: &mut lexer,
            origin: &origin,
        };
        let theirs: Result<ZoneRecordData<Vec<u8>, _>, Failure> =
            ZoneRecordData::scan(Rtype::from_int(rtype), &mut scanner);
        match theirs {
            Ok(data) => {
                let mut wire = Vec::new();
                data.compose_rdata(&mut wire).unwrap();
                assert_eq!(wire, ours, "{line}");
                compared.insert(rtype);
            }
            // Types that domain knows only in the form of RFC 3597.
            Err(failure) => assert!(failure.to_string().contains("unknown"), "{line}: {failure}"),
        }
    }
    assert!(compared.len() >= 29, "{compared:?}");
}
