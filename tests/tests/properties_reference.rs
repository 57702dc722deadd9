//! Random zones and queries: the server answers as the reference resolver does.

use proptest::prelude::*;
use ripples::packet::reply::Transport;
use tests::answers::{reply, snapshot_of};
use tests::cases;
use tests::invariants::{check_message, check_reply, check_truncation};
use tests::model::resolve;
use tests::worlds::scenario;

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
