//! Master files: what our reader makes of them beside BIND, `domain` and the servers of the Ferret study, what included
//! files mean, and that no text makes it panic.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::base::iana::Rtype;
use domain::base::name::ParsedName;
use domain::base::rdata::ParseRecordData as _;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt as _};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use proptest::prelude::*;
use ripples::name::{self, NameBuf, ROOT};
use ripples::zone::check::check;
use ripples::zone::error::{Severity, ZoneProblem};
use ripples::zone::load;
use ripples::zone::records::ZoneRecords;

/// Owner, TTL, type and data of a record.
type Flat = (Vec<u8>, u32, u16, Vec<u8>);

#[test]
fn bind_reads_the_same_data_of_every_type() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/all-types.zone");
    let Some(expected) = bind_reads(&path, "types.test.") else {
        return;
    };
    assert!(expected.len() > 120, "{}", expected.len());
    assert_same(&read(&path, "types.test."), &expected);
}

#[test]
fn bind_reads_the_same_root_zone() {
    let Some(path) = shared("data/root.zone") else {
        return;
    };
    // The copy has no SOA record.
    let room = Room::new("root");
    let soa =
        ". 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400\n";
    room.write(
        "root.zone",
        &[soa, &fs::read_to_string(path).unwrap()].concat(),
    );
    let path = room.0.join("root.zone");
    let Some(expected) = bind_reads(&path, ".") else {
        return;
    };
    let ours = read(&path, ".");
    assert!(ours.len() > 10_000, "{}", ours.len());
    assert_same(&ours, &expected);
    let (records, problems) = load(&path, ROOT).unwrap();
    assert_eq!(problems, []);
    assert_eq!(records.record_count(), ours.len());
    assert!(records.owner(0).is_apex());
}

#[test]
fn zones_that_all_servers_of_the_study_refuse_or_accept_are_so_here() {
    let Some(path) = shared("conformance/ferret-invalid.jsonl.xz") else {
        return;
    };
    let Some(cases) = cases(&path) else { return };
    let (mut refused_count, mut accepted_count) = (0, 0);
    for case in &cases {
        let (zone, id) = (case["zone"].as_str().unwrap(), &case["id"]);
        let outcome = judge(zone);
        let accepted = case["checkers"].as_object().unwrap().values();
        let accepted: Vec<bool> = accepted
            .map(|accepted| accepted.as_bool().unwrap())
            .collect();
        if !accepted.is_empty() && !accepted.contains(&true) {
            assert!(outcome.is_err(), "all refuse case {id}, we do not:\n{zone}");
            refused_count += 1;
        }
        if !accepted.is_empty() && !accepted.contains(&false) {
            assert_eq!(outcome, Ok(()), "all accept case {id}, we do not:\n{zone}");
            accepted_count += 1;
        }
        // Condition by condition: duplicates and data outside of the zone are ignored, as BIND and Knot DNS do;
        // what they both refuse is refused, and what Knot DNS refuses because an RFC forbids it.
        let knot = case["checkers"]["Knot"].as_bool();
        match case["condition"].as_u64().unwrap() {
            1 | 3 => assert_eq!(outcome, Ok(()), "case {id}:\n{zone}"),
            2 => assert!(
                zone.contains("SOA") || outcome.is_err(),
                "case {id}:\n{zone}"
            ),
            4..=7 => assert!(outcome.is_err(), "case {id}:\n{zone}"),
            9 if case["checkers"]["Bind"] == false => {
                assert_eq!(outcome.is_ok(), knot == Some(true), "case {id}:\n{zone}");
            }
            _ => assert_eq!(outcome, Ok(()), "case {id}:\n{zone}"),
        }
    }
    assert!(
        refused_count >= 60 && accepted_count >= 6,
        "{refused_count}, {accepted_count}"
    );
}

#[test]
fn well_formed_zones_of_the_study_have_no_errors() {
    let Some(path) = shared("conformance/ferret-valid.jsonl.xz") else {
        return;
    };
    let Some(cases) = cases(&path) else { return };
    assert!(cases.len() > 6000, "{}", cases.len());
    for case in &cases {
        let zone = case["zone"].as_str().unwrap();
        assert_eq!(judge(zone), Ok(()), "case {}:\n{zone}", case["id"]);
    }
}

#[test]
fn included_files_are_relative_to_the_file_and_keep_their_origin_to_themselves() {
    let room = Room::new("include");
    room.write(
        "main.zone",
        "$TTL 60\n@ SOA ns.x. host.x. 1 2 3 4 5\n NS ns.x.\n$INCLUDE sub/one.zone sub ; comment\n\
         \tTXT after\n$INCLUDE \"sub/one.zone\"\nb TXT b\n",
    );
    room.write(
        "sub/one.zone",
        "a TXT a\n$INCLUDE two.zone\n$ORIGIN elsewhere.\nc TXT c",
    );
    room.write("sub/two.zone", "two TXT 2\n$TTL 90\n");
    let (records, problems) = load(&room.0.join("main.zone"), &origin("example.")).unwrap();
    let owners: Vec<String> = records
        .owners()
        .map(|owner| name::display(&owner.name()).to_string())
        .collect();
    assert_eq!(
        owners,
        [
            "example.",
            "a.example.",
            "b.example.",
            "a.sub.example.",
            "two.sub.example.",
            "two.example."
        ]
    );
    let apex = records.owner(0).rrset(16).unwrap();
    assert_eq!(apex.records().next().unwrap(), b"\x05after");
    // RFC 2308 §4: $TTL is for all records that appear after it.
    assert_eq!(apex.ttl(), 90);
    let shown: Vec<String> = problems.iter().map(|problem| room.shown(problem)).collect();
    assert_eq!(
        shown,
        [
            "sub/one.zone:4:1: warning: c.elsewhere. is outside of the zone example.: ignored",
            "sub/one.zone:4:1: warning: c.elsewhere. is outside of the zone example.: ignored",
        ]
    );
}

#[test]
fn includes_that_fail_name_both_files() {
    let room = Room::new("loop");
    room.write(
        "main.zone",
        "$TTL 60\n$INCLUDE a.zone\n@ SOA ns.x. host.x. 1 2 3 4 5\n NS ns.x.\nx A y\n",
    );
    room.write("a.zone", "$INCLUDE ./b.zone\na A x\n  $INCLUDE main.zone");
    room.write("b.zone", "\n  \n$INCLUDE main.zone\n$INCLUDE ../loop/a.zone\n$INCLUDE missing.zone\n$INCLUDE .\nb A 192.0.2.1");
    let problems = load(&room.0.join("main.zone"), &origin("example.")).unwrap_err();
    let shown: Vec<String> = problems.iter().map(|problem| room.shown(problem)).collect();
    assert_eq!(
        shown,
        [
            ".:1:1: cannot read: Is a directory (os error 21)",
            "./b.zone:3:10: `main.zone` includes itself",
            "./b.zone:4:10: `../loop/a.zone` includes itself",
            "./b.zone:5:10: cannot open `missing.zone`: No such file or directory (os error 2)",
            "a.zone:2:5: `x` is not an IPv4 address",
            "a.zone:3:3: `$INCLUDE` is neither TTL nor class nor record type",
            "main.zone:5:5: `y` is not an IPv4 address",
        ]
    );
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let problems = load(Path::new("/nowhere/x.zone"), &origin("example.")).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["/nowhere/x.zone: cannot open: No such file or directory (os error 2)"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// `domain` writes the text.
    #[test]
    fn what_domain_writes_is_read_back(
        records in prop::collection::vec((labels(), 0..0x7fff_ffff_u32, typed_data()), 1..20),
    ) {
        let mut text = String::from("@ 5 SOA a. b. 1 2 3 4 5\n@ 5 NS a.\n");
        let mut expected: Vec<Flat> = Vec::new();
        for (index, (labels, ttl, (rtype, data))) in records.into_iter().enumerate() {
            // A label of its own for each record, so that none are equal and no TTLs are in conflict.
            let owner = [&labels[..], b"\x04", format!("{index:04}").as_bytes(), b"\x07example\x00"].concat();
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

/// Pieces of master files.
fn token() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
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
        "@",
        "a",
        "b.c",
        "*",
        ".",
        "..",
        "example.",
        "x.",
        "$ORIGIN",
        "$TTL",
        "$GENERATE",
        "1-3",
        "$",
        "${0,2,n}",
        "1",
        "300",
        "1h",
        "IN",
        "CH",
        "A",
        "AAAA",
        "NS",
        "CNAME",
        "DNAME",
        "SOA",
        "MX",
        "TXT",
        "SRV",
        "192.0.2.1",
        "2001:db8::1",
        "\\#",
        "4",
        "00",
        "TYPE65280",
        "RRSIG",
        "NSEC3",
        "-",
        "20240101000000",
        "HTTPS",
        "alpn=",
        "h2",
        "key1=",
        "LOC",
        "N",
        "E",
        "0m",
        "APL",
        "1:1.2.3.4/5",
        "HIP",
        "AAAA",
        "DS",
        "8",
        "2",
        "IPSECKEY",
        "AMTRELAY",
        "WKS",
        "\\032",
        "é",
        "\r\n",
        " 1 A 192.0.2.1\n",
        " 1 NS a\n",
        " 1 CNAME b\n",
        "\na",
        "\nb.a",
    ]);
    words.prop_map(String::from)
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
    let octets = |len| prop::collection::vec(any::<u8>(), len);
    // `domain` does not escape what has a meaning in master files.
    let octet = || prop::sample::select(&b"abcXYZ019-_*+/=\\\x00\x01\x20\x7f\xff"[..]);
    let name = || labels_of(octet()).prop_map(|labels| [&labels[..], b"\x00"].concat());
    let text = || octets(0..40).prop_map(|text| [&[label_len(&text)], &text[..]].concat());
    let with = |head: std::ops::Range<usize>, tail: BoxedStrategy<Vec<u8>>| {
        (octets(head), tail)
            .prop_map(|(head, tail)| [head, tail].concat())
            .boxed()
    };
    let data =
        |rtype: u16, data: BoxedStrategy<Vec<u8>>| data.prop_map(move |data| (rtype, data)).boxed();
    let fixed = |len: usize| octets(len..len + 1).boxed();
    let texts = |count: usize| {
        prop::collection::vec(text(), count..count + 1)
            .prop_map(|texts| texts.concat())
            .boxed()
    };
    let some = |range: std::ops::Range<usize>| octets(range).boxed();
    prop_oneof![
        data(1, fixed(4)),
        data(2, name().boxed()),
        data(5, name().boxed()),
        data(12, name().boxed()),
        data(39, name().boxed()),
        data(
            6,
            (name(), name(), fixed(20))
                .prop_map(|(a, b, c)| [a, b, c].concat())
                .boxed()
        ),
        data(13, texts(2)),
        data(
            14,
            (name(), name()).prop_map(|(a, b)| [a, b].concat()).boxed()
        ),
        data(15, with(2..3, name().boxed())),
        data(16, prop_oneof![texts(1), texts(3)].boxed()),
        data(28, fixed(16)),
        data(33, with(6..7, name().boxed())),
        data(
            35,
            with(
                4..5,
                (texts(3), name())
                    .prop_map(|(a, b)| [a, b].concat())
                    .boxed()
            )
        ),
        data(
            43,
            some(1..40)
                .prop_map(|digest| [&[0, 1, 8, 99], &digest[..]].concat())
                .boxed()
        ),
        data(
            44,
            some(1..40)
                .prop_map(|digest| [&[4, 99], &digest[..]].concat())
                .boxed()
        ),
        data(
            46,
            with(
                18..19,
                (name(), some(1..80))
                    .prop_map(|(a, b)| [a, b].concat())
                    .boxed()
            )
        ),
        data(
            47,
            name()
                .prop_map(|name| [&name[..], &[0, 2, 0x40, 1, 4, 1, 0x80]].concat())
                .boxed()
        ),
        data(48, with(4..5, some(1..80))),
        data(
            50,
            with(
                4..5,
                (text(), some(1..30))
                    .prop_map(|(salt, hash)| {
                        [&salt[..], &[label_len(&hash)], &hash, &[0, 1, 0x40]].concat()
                    })
                    .boxed()
            )
        ),
        data(51, with(4..5, text().boxed())),
        data(52, with(3..4, some(1..40))),
        data(61, some(1..100)),
        data(
            63,
            some(12..60)
                .prop_map(|digest| [&[0, 0, 0, 1, 240, 240], &digest[..]].concat())
                .boxed()
        ),
        data(
            257,
            (any::<u8>(), text())
                .prop_map(|(flags, value)| { [&[flags, 5], &b"issue"[..], &value[1..]].concat() })
                .boxed()
        ),
        data(65400, some(0..60)),
    ]
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

/// Compares records as sets.
fn assert_same(ours: &[Flat], theirs: &[Flat]) {
    let shown = |records: &[Flat]| {
        let mut lines: Vec<String> = records.iter().map(show).collect();
        lines.sort();
        lines
    };
    let (ours, theirs) = (shown(ours), shown(theirs));
    let only_ours: Vec<_> = ours
        .iter()
        .filter(|line| !theirs.contains(line))
        .take(10)
        .collect();
    let only_theirs: Vec<_> = theirs
        .iter()
        .filter(|line| !ours.contains(line))
        .take(10)
        .collect();
    assert!(
        only_ours.is_empty() && only_theirs.is_empty(),
        "{only_ours:#?} for {only_theirs:#?}"
    );
    assert_eq!(ours.len(), theirs.len());
}

fn show((owner, ttl, rtype, data): &Flat) -> String {
    let data: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
    format!(
        "{} {ttl} {} {data}",
        name::display(owner),
        Rtype::from_int(*rtype)
    )
}

/// Reads a zone without checking it.
fn read(path: &Path, zone: &str) -> Vec<Flat> {
    let outcome = ZoneRecords::read(path, &origin(zone));
    let (records, _) = outcome.unwrap_or_else(|problems| panic!("{}", problems[0]));
    flatten(&records)
}

fn flatten(records: &ZoneRecords) -> Vec<Flat> {
    let mut flat = Vec::new();
    for owner in records.owners() {
        for rrset in owner.rrsets() {
            for data in rrset.records() {
                flat.push((
                    owner.name().to_vec(),
                    rrset.ttl(),
                    rrset.rtype(),
                    data.to_vec(),
                ));
            }
        }
    }
    flat
}

/// Reads and checks a zone of the study, whose origin is the owner of its first SOA.
fn judge(zone: &str) -> Result<(), String> {
    let first = zone.lines().find(|line| line.contains("SOA"));
    let zone_name = first
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or(".");
    let origin = origin(zone_name);
    let (records, _) = ZoneRecords::parse(zone.as_bytes(), "zone", &origin)
        .map_err(|problems| problems[0].to_string())?;
    let error = check(&records)
        .into_iter()
        .find(|problem| problem.severity == Severity::Error);
    error.map_or(Ok(()), |error| Err(error.to_string()))
}

fn origin(text: &str) -> NameBuf {
    NameBuf::from_text(text.as_bytes(), ROOT).unwrap()
}

/// Lets BIND read a zone; `None`, said aloud, if it is not installed.
fn bind_reads(path: &Path, zone: &str) -> Option<Vec<Flat>> {
    let room = Room::new("bind");
    let raw = room.0.join("raw");
    let mut command = Command::new("named-compilezone");
    command
        .args([
            "-i", "none", "-k", "ignore", "-n", "ignore", "-F", "raw", "-o",
        ])
        .arg(&raw);
    match command.arg(zone).arg(path).output() {
        Err(error) => missing(&format!("named-compilezone: {error}")),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                output.status.success(),
                "BIND refuses {}: {said}",
                path.display()
            );
            Some(raw_records(&fs::read(raw).unwrap()))
        }
    }
}

/// Reads BIND's raw form: a header of 24 octets, then for each RRset its length, class, type, covered type, TTL and count,
/// its owner, and its data, all behind lengths.
fn raw_records(raw: &[u8]) -> Vec<Flat> {
    let number = |at: usize, len: usize| {
        raw[at..at + len]
            .iter()
            .fold(0, |number: usize, octet| number << 8 | usize::from(*octet))
    };
    let mut records = Vec::new();
    let mut at = 24;
    while at < raw.len() {
        let (rtype, ttl, count) = (number(at + 6, 2), number(at + 10, 4), number(at + 14, 4));
        let owner_len = number(at + 18, 2);
        at += 20;
        let owner = raw[at..at + owner_len].to_ascii_lowercase();
        at += owner_len;
        for _ in 0..count {
            let len = number(at, 2);
            let data = raw[at + 2..at + 2 + len].to_vec();
            at += 2 + len;
            let (rtype, ttl) = (u16::try_from(rtype).unwrap(), u32::try_from(ttl).unwrap());
            records.push((owner.clone(), ttl, rtype, data));
        }
    }
    records
}

/// Reads the cases of a study.
fn cases(path: &Path) -> Option<Vec<serde_json::Value>> {
    match Command::new("xz").arg("-dc").arg(path).output() {
        Err(error) => missing(&format!("xz: {error}")),
        Ok(output) => {
            let text = String::from_utf8(output.stdout).unwrap();
            Some(
                text.lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect(),
            )
        }
    }
}

/// Finds what does not belong to the product: beside the repository, or where the environment says.
fn shared(path: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("RIPPLES_SHARED")
        .map_or(beside, PathBuf::from)
        .join(path);
    if shared.exists() {
        Some(shared)
    } else {
        missing(&shared.display().to_string())
    }
}

/// Says what is missing; where everything was promised to be there it fails.
fn missing<T>(what: &str) -> Option<T> {
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{what} is missing"
    );
    println!("nothing was compared, for lack of {what}");
    None
}

/// A directory for one test.
struct Room(PathBuf);

impl Room {
    fn new(what: &str) -> Self {
        let thread = std::thread::current().id();
        let unique = format!("ripples-{}-{thread:?}-{what}", std::process::id());
        let path = std::env::temp_dir().join(unique).join(what);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A problem, its files named from within the directory.
    fn shown(&self, problem: &ZoneProblem) -> String {
        problem
            .to_string()
            .replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}
