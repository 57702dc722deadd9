//! Random zones and queries: the server answers as the reference resolver does.

use proptest::prelude::*;
use ripples::packet::reply::Transport;
use tests::answers::{reply, snapshot_of};
use tests::ask::Ask;
use tests::cases;
use tests::invariants::{check_message, check_reply, check_truncation};
use tests::model::resolve;
use tests::name::Name;
use tests::record::{Data, Record, rtype};
use tests::worlds::{Scenario, ZoneText, scenario};

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn random_zones_are_answered_from_as_the_reference_does(scenario in scenario(40)) {
        let snapshot = snapshot_of(&scenario.zones);
        let world = scenario.world();
        for ask in &scenario.asks {
            let message = ask.message();
            let whole = reply(&snapshot, &message, Transport::Tcp).expect("a reply");
            let decoded = check_message(&message, &whole).map_err(TestCaseError::fail)?;
            let difference = resolve(&world, &ask.name, ask.qtype).difference(&decoded);
            prop_assert_eq!(difference, None, "{} TYPE{}", &ask.name, ask.qtype);
            let cut = reply(&snapshot, &message, Transport::Udp).expect("a reply");
            prop_assert_eq!(check_reply(&message, &cut), Ok(()));
            let truncation = check_truncation(&message, &whole, &cut);
            prop_assert_eq!(truncation, Ok(()), "{} TYPE{}", &ask.name, ask.qtype);
        }
    }
}

/// RFC 9471 §3.1: all glue, beyond the 16 KB that pointers reach, moved and in place.
#[test]
fn a_referral_of_many_servers_brings_all_their_glue() {
    let origin = Name::parse("example.");
    let cut = origin.child("wide");
    let authority = Data::Authority(origin.child("ns"), origin.child("h"), [1, 2, 3, 4, 5]);
    let record = |owner: &Name, rtype: u16, data: Data| Record {
        owner: owner.clone(),
        rtype,
        ttl: 60,
        data,
    };
    let mut records = vec![
        record(&origin, rtype::SOA, authority),
        record(&origin, rtype::NS, Data::Name(Name::parse("ns.test."))),
    ];
    for number in 0..700u16 {
        let host = cut.child(format!("ns{number}"));
        let [high, low] = number.to_be_bytes();
        records.push(record(&cut, rtype::NS, Data::Name(host.clone())));
        records.push(record(
            &host,
            rtype::A,
            Data::Address4([10, 0, high, low].into()),
        ));
    }
    let zones = vec![ZoneText { origin, records }];
    let asks = vec![
        Ask::new(cut.clone(), rtype::A),
        Ask::new(cut.child("a.b"), rtype::A),
    ];
    let scenario = Scenario { zones, asks };
    let snapshot = snapshot_of(&scenario.zones);
    for ask in &scenario.asks {
        let message = ask.message();
        let whole = reply(&snapshot, &message, Transport::Tcp).expect("a reply");
        let decoded = check_message(&message, &whole).unwrap();
        assert_eq!(decoded.additional().len(), 700);
        let expected = resolve(&scenario.world(), &ask.name, ask.qtype);
        assert_eq!(expected.difference(&decoded), None);
        assert!(whole.len() > 16_384 && whole.len() < 64_000);
    }
}
