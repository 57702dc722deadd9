//! Master files: what our reader makes of them beside BIND, `domain` and the servers of the Ferret
//! study, what included files mean, and that no text makes it panic.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;
use std::process::Command;

use domain::base::iana::Rtype;
use ripples::name::{self, ROOT};
use ripples::zone::check::check;
use ripples::zone::error::Severity;
use ripples::zone::load::read as load;
use ripples::zone::records::ZoneRecords;
use tests::ferret::{self, cases};
use tests::zones::{Flat, Room, flatten, missing, origin, shared};

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
    let Some(cases) = cases("ferret-invalid") else {
        return;
    };
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
        // Condition by condition: duplicates and data outside of the zone are ignored, as BIND and
        // Knot DNS do; what they both refuse is refused, and what Knot DNS refuses because an RFC
        // forbids it.
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
    let Some(cases) = cases("ferret-valid") else {
        return;
    };
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
    room.write(
        "b.zone",
        "\n  \n$INCLUDE main.zone\n$INCLUDE ../loop/a.zone\n\
    $INCLUDE missing.zone\n$INCLUDE .\nb A 192.0.2.1",
    );
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

/// Reads and checks a zone of the study, whose origin is the owner of its first SOA.
fn judge(zone: &str) -> Result<(), String> {
    let origin = origin(ferret::origin(zone));
    let (records, _) = ZoneRecords::parse(zone.as_bytes(), "zone", &origin)
        .map_err(|problems| problems[0].to_string())?;
    let error = check(&records)
        .into_iter()
        .find(|problem| problem.severity == Severity::Error);
    error.map_or(Ok(()), |error| Err(error.to_string()))
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

/// Reads BIND's raw form: a header of 24 octets, then for each RRset its length, class, type,
/// covered type, TTL and count, its owner, and its data, all behind lengths.
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
