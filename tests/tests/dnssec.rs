//! What a signed zone answers: with DO everything that a validator needs, without it none of that.

use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;
use std::net::SocketAddr;
use std::process::Command;
use tests::answers::{reply, signed_world};
use tests::ask::{Ask, AskEdns};
use tests::decoded::{Decoded, Rr};
use tests::folder::Folder;
use tests::invariants::{check_message, check_reply, check_truncation};
use tests::loopback;
use tests::name::Name;
use tests::record::{rtype, type_of, type_text};
use tests::server::Launch;
use tests::zones::SIGNED;

/// What is only for those who ask with DO.
const DNSSEC_TYPES: [u16; 4] = [rtype::DS, rtype::RRSIG, rtype::NSEC, rtype::NSEC3];

/// A question below each apex, and what is answered in each of [`SIGNED`].
struct Case {
    name: &'static str,
    qtype: u16,
    answers: Vec<&'static str>,
}

/// The cases of `fixtures/signed/answers.txt`.
fn cases() -> Vec<Case> {
    let lines = include_str!("../fixtures/signed/answers.txt").lines();
    let mut cases: Vec<Case> = Vec::new();
    for line in lines.filter(|line| !line.starts_with(';')) {
        if let Some(answer) = line.strip_prefix("    ") {
            let (zone, answer) = answer.split_once(' ').expect("a zone and its answer");
            let case = cases.last_mut().expect("a question before its answers");
            let (apex, _) = SIGNED[case.answers.len()];
            assert_eq!(apex, format!("{zone}.test."));
            case.answers.push(answer.trim_start());
        } else {
            let (name, qtype) = line.split_once(' ').expect("a name and a type");
            cases.push(Case {
                name,
                qtype: type_of(qtype).expect("a type"),
                answers: Vec::new(),
            });
        }
    }
    cases
}

fn ask(name: &str, apex: &str, qtype: u16, dnssec_ok: bool) -> Ask {
    let name = match name {
        "@" => apex.to_owned(),
        labels => format!("{labels}.{apex}"),
    };
    let edns = AskEdns {
        size: 1232,
        dnssec_ok,
        ..AskEdns::default()
    };
    Ask {
        edns: Some(edns),
        ..Ask::new(Name::parse(&name), qtype)
    }
}

/// The whole reply; what UDP leaves of it is checked.
fn whole(snapshot: &Snapshot, ask: &Ask) -> Decoded {
    let message = ask.message();
    let whole = reply(snapshot, &message, Transport::Tcp).expect("a reply");
    let cut = reply(snapshot, &message, Transport::Udp).expect("a reply");
    check_reply(&message, &cut).expect("a good reply");
    check_truncation(&message, &whole, &cut).expect("cut well");
    check_message(&message, &whole).expect("a good reply")
}

/// The RRsets of a section by type, `+` for a signature right behind.
fn types(records: &[Rr]) -> String {
    let mut types: Vec<String> = Vec::new();
    let mut last: Option<(Name, u16)> = None;
    for record in records {
        let key = (record.owner.lowered(), record.rtype);
        match &last {
            Some(last) if *last == key => {}
            Some((owner, rtype)) if record.rtype == rtype::RRSIG && *rtype != rtype::RRSIG => {
                let covered = u16::from_be_bytes([record.rdata[0], record.rdata[1]]);
                assert_eq!((owner, *rtype), (&key.0, covered), "{records:?}");
                types.last_mut().expect("an RRset").push('+');
                last = None;
            }
            _ => {
                types.push(type_text(record.rtype));
                last = Some(key);
            }
        }
    }
    match types.is_empty() {
        true => "-".into(),
        false => types.join(" "),
    }
}

fn summary(reply: &Decoded) -> String {
    let rcode = match reply.rcode {
        0 => "NOERROR",
        3 => "NXDOMAIN",
        _ => "another code",
    };
    let aa = if reply.aa { "aa" } else { "--" };
    let [answer, authority, additional] = reply.sections.each_ref().map(|s| types(s));
    format!("{rcode} {aa} | {answer} | {authority} | {additional}")
}

#[test]
fn each_answer_brings_what_proves_it() {
    let snapshot = signed_world();
    for case in cases() {
        for ((apex, _), expected) in SIGNED.iter().zip(case.answers) {
            let ask = ask(case.name, apex, case.qtype, true);
            let summary = summary(&whole(&snapshot, &ask));
            assert_eq!(summary, expected, "{} {}", ask.name, type_text(case.qtype));
        }
    }
}

#[test]
fn without_do_an_answer_is_the_same_but_for_what_only_dnssec_needs() {
    let snapshot = signed_world();
    for case in cases() {
        for (apex, _) in SIGNED {
            let [plain, signed] = [false, true]
                .map(|dnssec| whole(&snapshot, &ask(case.name, apex, case.qtype, dnssec)));
            assert_eq!((plain.rcode, plain.aa), (signed.rcode, signed.aa));
            for (plain, mut signed) in plain.sections.into_iter().zip(signed.sections) {
                // What is asked for by its type is answered to everyone.
                signed.retain(|rr| rr.rtype == case.qtype || !DNSSEC_TYPES.contains(&rr.rtype));
                assert_eq!(plain, signed, "{} {}", case.name, type_text(case.qtype));
            }
        }
    }
}

/// RFC 5155 §7.2.8: the name of a hash is no name of the zone.
#[test]
fn the_owners_of_nsec3_records_do_not_exist() {
    let snapshot = signed_world();
    let (apex, text) = SIGNED[1];
    let owners = text.lines().filter(|line| line.contains("IN NSEC3\t"));
    let mut count = 0;
    for owner in owners.filter_map(|line| line.split(['.', ' ', '\t']).next()) {
        count += 1;
        for qtype in [rtype::A, rtype::NSEC3, rtype::ANY] {
            let reply = whole(&snapshot, &ask(owner, apex, qtype, true));
            assert_eq!(reply.rcode, 3, "{owner}");
        }
    }
    assert!(count > 20, "{count}");
}

/// A negative answer's signature is cached no longer than its record (RFC 2308 §5, RFC 4034 §3).
#[test]
fn the_signature_of_a_negative_soa_record_has_its_ttl() {
    let snapshot = signed_world();
    let reply = whole(&snapshot, &ask("nope", "nsec.test.", rtype::A, true));
    let ttls: Vec<_> = reply.authority()[..2].iter().map(|rr| rr.ttl).collect();
    assert_eq!(ttls, [120, 120]);
}

/// BIND's validator, from the zone's key down.
#[test]
fn a_validator_accepts_every_answer() {
    let address: SocketAddr = loopback::address();
    let listen = address.to_string();
    let launch = Launch::run(&["--io", "socket", "--listen", &listen]);
    let launch = SIGNED
        .iter()
        .fold(launch, |launch, (apex, text)| launch.zone(apex, text));
    let server = launch.start();
    let folder = Folder::new();
    for (apex, text) in SIGNED {
        let anchor = folder.write("anchor", trust_anchor(apex, text));
        for case in cases() {
            // The first leaves our zones, for servers that there are not; the others, delv cannot
            // ask for.
            if ["ext", "secure", "a.secure"].contains(&case.name)
                || case.name.ends_with("insecure")
                || case.name == "x.y.left"
                || [rtype::ANY, rtype::RRSIG].contains(&case.qtype)
            {
                continue;
            }
            let name = ask(case.name, apex, case.qtype, true).name.to_string();
            let mut delv = Command::new("delv");
            delv.arg(format!("@{}", address.ip()))
                .args(["-p", &address.port().to_string(), "-a"])
                .arg(&anchor)
                .arg(format!("+root={apex}"))
                .args([&name, &type_text(case.qtype)]);
            let output = delv.output().expect("delv runs");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            // Under opt-out, what is missing may have been left out: nothing is proven then.
            let is_left_out = apex == "optout.test." && said.contains("unsigned answer");
            let is_valid = said.contains("fully validated") || is_left_out;
            assert!(is_valid, "{name} {}: {said}", type_text(case.qtype));
        }
    }
    server.stop();
}

/// The zone's key-signing key as BIND writes it.
fn trust_anchor(apex: &str, text: &str) -> String {
    let key = text
        .lines()
        .find_map(|line| line.split_once("DNSKEY\t257 3 13 "));
    let (_, key) = key.expect("a key-signing key");
    let key = key.split(" ;").next().unwrap_or_default();
    format!("trust-anchors {{ {apex} static-key 257 3 13 \"{key}\"; }};\n")
}
