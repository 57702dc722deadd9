//! Any text as a master file: it is refused with problems, or it compiles, and then every owner
//! answers for each of its types.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::name::{NameBuf, ROOT};
use ripples::packet::NameKey;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::check::check;
use ripples::zone::error::Severity;
use ripples::zone::records::ZoneRecords;
use ripples::zone::served::ServedZone;
use tests::answers::reply;
use tests::ask::Ask;
use tests::invariants::check_reply;
use tests::name::Name;

/// Owners that are asked for, at most.
const OWNERS_MAX: usize = 200;

fuzz_target!(|input: &[u8]| {
    let text = [APEX, input].concat();
    // It would open files, and `$GENERATE` makes millions of records of a line.
    if contains(&text, b"include") || contains(&text, b"generate") {
        return;
    }
    let origin = NameBuf::from_text(b"example.", ROOT).unwrap();
    let Ok((records, _)) = ZoneRecords::parse(&text, "zone", &origin) else {
        return;
    };
    if check(&records)
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return;
    }
    // What the checks let through may still be too large for a message.
    let Ok(zone) = ServedZone::compile(&records, &[], &[]) else {
        return;
    };
    let key = NameKey::new([1, 2, 3]);
    let snapshot = Snapshot::new(1, vec![zone], Policy::default(), key).unwrap();
    for owner in records.owners().take(OWNERS_MAX) {
        let name = Name::of_wire(&owner.name());
        let types = owner.rrsets().map(|rrset| rrset.rtype());
        for qtype in types.chain([1, 43, 255]) {
            ask(&snapshot, &Ask::new(name.clone(), qtype).edns(1232));
        }
        let below = name.child("x");
        if below.is_legal() {
            ask(&snapshot, &Ask::new(below, 1));
        }
    }
});

/// What every zone needs, so that the input need not find out.
const APEX: &[u8] = b"@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 IN NS ns.elsewhere.test.\n";

/// A name of the zone always gets an answer; data that hickory-proto reads is read by it.
fn ask(snapshot: &Snapshot, ask: &Ask) {
    let query = ask.message();
    let cut = reply(snapshot, &query, Transport::Udp).expect("a reply");
    let whole = reply(snapshot, &query, Transport::Tcp).expect("a reply");
    assert!(cut.len() <= 1232 && whole.len() >= cut.len());
    assert!(
        !matches!(whole[3] & 0x0f, 1 | 2 | 4 | 5),
        "refused: {ask:?}"
    );
    // Types that hickory-proto knows have data of a form that the master file could not check.
    if KNOWN.contains(&ask.qtype) {
        check_reply(&query, &cut).unwrap();
    }
}

/// Types whose data both read alike.
const KNOWN: [u16; 9] = [1, 2, 5, 6, 12, 15, 16, 28, 33];

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}
