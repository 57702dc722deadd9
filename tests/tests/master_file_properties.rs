//! Master files: any data survives being written and read, and no text makes the reader panic.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;

use domain::base::iana::Rtype;
use domain::base::name::ParsedName;
use domain::base::rdata::ParseRecordData as _;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt as _};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use proptest::prelude::*;
use ripples::name::{self, NameBuf};
use ripples::zone::check::check;
use ripples::zone::error::Severity;
use ripples::zone::records::ZoneRecords;
use tests::zones::{Flat, flatten, origin};

proptest! {
    #![proptest_config(tests::cases(2000))]

    /// `domain` writes the text.
    #[test]
    fn what_domain_writes_is_read_back(
        records in prop::collection::vec((labels(), 0..0x7fff_ffff_u32, typed_data()), 1..20),
    ) {
        let mut text = String::from("@ 5 SOA a. b. 1 2 3 4 5\n@ 5 NS a.\n");
        let mut expected: Vec<Flat> = Vec::new();
        for (index, (labels, ttl, (rtype, data))) in records.into_iter().enumerate() {
            // A label of its own for each record, so that none are equal and no TTLs are in
            // conflict.
            let number = format!("{index:04}");
            let parts = [&labels[..], b"\x04", number.as_bytes(), b"\x07example\x00"];
            let owner = parts.concat();
            let owner_text = name::display(&owner).to_string();
            let parsed = parse(rtype, &data);
            let shown = parsed.display_zonefile(DisplayKind::Simple);
            writeln!(text, "{owner_text} {ttl} IN {} {shown}", Rtype::from_int(rtype)).unwrap();
            expected.push((owner.to_ascii_lowercase(), ttl, rtype, data));
        }
        let outcome = ZoneRecords::parse(text.as_bytes(), "zone", &origin("example."));
        let (records, problems) = outcome.map_err(|problems| {
            TestCaseError::fail(format!("{}\n{text}", problems[0]))
        })?;
        prop_assert_eq!(problems, vec![]);
        let mut ours = flatten(&records);
        ours.retain(|record| record.0 != b"\x07example\x00");
        ours.sort();
        expected.sort();
        prop_assert_eq!(ours, expected, "{}", text);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..3000)) {
        read_or_refuse(&octets);
    }

    #[test]
    fn any_tokens_are_read_or_refused(tokens in prop::collection::vec(token(), 0..200)) {
        read_or_refuse(tokens.concat().as_bytes());
    }
}

/// Reads any text; what is read must be in order, and problems must be in the text.
fn read_or_refuse(text: &[u8]) {
    let line_count = 1 + text.iter().filter(|octet| **octet == b'\n').count();
    let whole = [b"@ 1 SOA a. b. 1 2 3 4 5\n@ NS a.\n", text].concat();
    for text in [text, &whole] {
        match ZoneRecords::parse(text, "zone", &origin("example.")) {
            Ok((records, _)) => {
                let owners: Vec<NameBuf> = records.owners().map(|owner| owner.name()).collect();
                assert!(
                    owners.is_sorted_by(|left, right| name::canonical_cmp(left, right).is_lt())
                );
                for (index, owner) in owners.iter().enumerate() {
                    assert_eq!(records.position(owner), Ok(index));
                }
                assert_eq!(flatten(&records).len(), records.record_count());
                check(&records);
            }
            Err(problems) => {
                assert!(
                    problems
                        .iter()
                        .any(|problem| problem.severity == Severity::Error)
                );
                for (line, column) in problems.iter().filter_map(|problem| problem.place.position) {
                    assert!(
                        (1..=line_count + 2).contains(&(line as usize)),
                        "line {line}"
                    );
                    assert!(
                        (1..=text.len() + 1).contains(&(column as usize)),
                        "column {column}"
                    );
                }
            }
        }
    }
}

/// Words of master files.
const WORDS: &str = "@ a b.c * . .. example. x. $ORIGIN $TTL $GENERATE 1-3 $ ${0,2,n} 1 300 1h IN \
    CH A AAAA NS CNAME DNAME SOA MX TXT SRV 192.0.2.1 2001:db8::1 \\# 4 00 TYPE65280 RRSIG NSEC3 - \
    20240101000000 HTTPS alpn= h2 key1= LOC N E 0m APL 1:1.2.3.4/5 HIP AAAA DS 8 2 IPSECKEY \
    AMTRELAY WKS \\032 é";

/// What stands between words, and lines of which some are good.
const OTHERS: [&str; 19] = [
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    " ",
    " ",
    "\t",
    "(",
    ")",
    "\"",
    "\\",
    ";",
    "\r\n",
    " 1 A 192.0.2.1\n",
    " 1 NS a\n",
    " 1 CNAME b\n",
    "\na",
    "\nb.a",
];

/// Pieces of master files.
fn token() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = WORDS.split_whitespace().chain(OTHERS).collect();
    prop::sample::select(pieces).prop_map(String::from)
}

/// A few labels of any octets.
fn labels() -> impl Strategy<Value = Vec<u8>> {
    labels_of(any::<u8>())
}

fn labels_of(octet: impl Strategy<Value = u8>) -> impl Strategy<Value = Vec<u8>> {
    let label = prop::collection::vec(octet, 1..20);
    prop::collection::vec(label, 0..5).prop_map(|labels| {
        labels
            .iter()
            .flat_map(|label| [&[label_len(label)], &label[..]].concat())
            .collect()
    })
}

/// A type and data of it in wire form, of those that `domain` can write.
fn typed_data() -> impl Strategy<Value = (u16, Vec<u8>)> {
    prop_oneof![names_and_numbers(), texts_and_keys()]
}

type Data = BoxedStrategy<Vec<u8>>;

/// Puts parts behind each other.
fn joined(parts: Vec<Data>) -> Data {
    parts.prop_map(|parts| parts.concat()).boxed()
}

fn octets(len: std::ops::Range<usize>) -> Data {
    prop::collection::vec(any::<u8>(), len).boxed()
}

fn fixed(len: usize) -> Data {
    octets(len..len + 1)
}

fn constant(data: &'static [u8]) -> Data {
    Just(data.to_vec()).boxed()
}

/// `domain` does not escape what has a meaning in master files, so names have no such octets.
fn domain_name() -> Data {
    let octet = prop::sample::select(&b"abcXYZ019-_*+/=\\\x00\x01\x20\x7f\xff"[..]);
    labels_of(octet)
        .prop_map(|labels| [&labels[..], b"\x00"].concat())
        .boxed()
}

fn text() -> Data {
    octets(0..40)
        .prop_map(|text| [&[label_len(&text)], &text[..]].concat())
        .boxed()
}

/// One of some types, each with its data.
fn one_of(types: Vec<(u16, Data)>) -> BoxedStrategy<(u16, Vec<u8>)> {
    let typed = |(rtype, data): (u16, Data)| data.prop_map(move |data| (rtype, data)).boxed();
    prop::strategy::Union::new(types.into_iter().map(typed)).boxed()
}

fn names_and_numbers() -> BoxedStrategy<(u16, Vec<u8>)> {
    one_of(vec![
        (1, fixed(4)),
        (2, domain_name()),
        (5, domain_name()),
        (6, joined(vec![domain_name(), domain_name(), fixed(20)])),
        (12, domain_name()),
        (14, joined(vec![domain_name(), domain_name()])),
        (15, joined(vec![fixed(2), domain_name()])),
        (28, fixed(16)),
        (33, joined(vec![fixed(6), domain_name()])),
        (39, domain_name()),
        (
            47,
            joined(vec![domain_name(), constant(&[0, 2, 0x40, 1, 4, 1, 0x80])]),
        ),
        (65400, octets(0..60)),
    ])
}

fn texts_and_keys() -> BoxedStrategy<(u16, Vec<u8>)> {
    let hash = octets(1..30)
        .prop_map(|hash| [&[label_len(&hash)], &hash[..]].concat())
        .boxed();
    one_of(vec![
        (13, joined(vec![text(), text()])),
        (16, text()),
        (16, joined(vec![text(), text(), text()])),
        (
            35,
            joined(vec![fixed(4), text(), text(), text(), domain_name()]),
        ),
        (43, joined(vec![constant(&[0, 1, 8, 99]), octets(1..40)])),
        (44, joined(vec![constant(&[4, 99]), octets(1..40)])),
        (46, joined(vec![fixed(18), domain_name(), octets(1..80)])),
        (48, joined(vec![fixed(4), octets(1..80)])),
        (
            50,
            joined(vec![fixed(4), text(), hash, constant(&[0, 1, 0x40])]),
        ),
        (51, joined(vec![fixed(4), text()])),
        (52, joined(vec![fixed(3), octets(1..40)])),
        (61, octets(1..100)),
        (
            63,
            joined(vec![constant(&[0, 0, 0, 1, 240, 240]), octets(12..60)]),
        ),
        (
            257,
            joined(vec![fixed(1), constant(b"\x05issue"), octets(0..40)]),
        ),
    ])
}

fn label_len(octets: &[u8]) -> u8 {
    u8::try_from(octets.len()).unwrap()
}

/// Lets `domain` read data from its wire form.
fn parse(rtype: u16, data: &[u8]) -> ZoneRecordData<&[u8], ParsedName<&[u8]>> {
    let mut parser = Parser::from_ref(data);
    let parsed = ZoneRecordData::parse_rdata(Rtype::from_int(rtype), &mut parser);
    parsed
        .unwrap_or_else(|error| panic!("{rtype} {data:02x?}: {error}"))
        .unwrap()
}
