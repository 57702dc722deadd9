//! Any text is a zone or an error; what is served of a zone is legal for every one of its names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::packet::NameKey;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::compile::compile;
use ripples::zone::records::ZoneRecords;
use tests::answers::reply;
use tests::invariants::check_message;

/// Names of a zone that are asked for.
const ASKED_MAX: usize = 50;
/// What is asked for: A, NS, CNAME, SOA, MX, DNAME, DS, ANY.
const TYPES: [u8; 8] = [1, 2, 5, 6, 15, 39, 43, 255];

fuzz_target!(|text: &[u8]| {
    let Ok((records, _)) = ZoneRecords::parse(text, "fuzz.zone", b"\x07example\0") else { return };
    let Ok(image) = compile(&records) else { return };
    let key = NameKey::new([1, 2, 3]);
    let Ok(snapshot) = Snapshot::new(1, vec![image], Policy::default(), key) else { return };
    for owner in records.owners().take(ASKED_MAX) {
        for rtype in TYPES {
            let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            query.extend_from_slice(&owner.name());
            query.extend([0, rtype, 0, 1]);
            let reply = reply(&snapshot, &query, Transport::Tcp).expect("a query gets a reply");
            assert_eq!(check_message(&query, &reply).err(), None);
        }
    }
});
