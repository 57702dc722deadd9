//! A reload while queries come over AF_XDP.

use crate::stage::Stage;
use std::time::Duration;
use tests::client::{self, query};
use tests::record::rtype;
use tests::server::EXAMPLE;

/// Queries of a load, and how long they take.
const COUNT: u16 = 2_000;
const DURATION: Duration = Duration::from_secs(2);

#[test]
fn a_reload_under_load_loses_no_query() {
    let Some(mut stage) = Stage::new(&[]) else {
        return;
    };
    let (address, query) = (stage.addresses()[0], query("www.example", rtype::A));
    let Stage { server, veth } = &mut stage;
    let answered = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            veth.client
                .namespace
                .run(|| client::load(address, &query, COUNT, DURATION))
        });
        for last in 81..84 {
            let start = server.stats().total("answers");
            server.await_stats(|stats| stats.total("answers") > start + 200);
            server.rewrite(
                "example",
                &EXAMPLE.replace("192.0.2.80", &format!("192.0.2.{last}")),
            );
            server.reload();
        }
        load.join().unwrap()
    });
    assert_eq!(
        (answered.sent, answered.received),
        (COUNT.into(), COUNT.into())
    );
    let mut addresses: Vec<u8> = answered
        .replies
        .keys()
        .map(|reply| reply[reply.len() - 1])
        .collect();
    addresses.sort_unstable();
    assert_eq!(
        addresses,
        [80, 81, 82, 83],
        "each answer is of one of the zones, and whole"
    );
    stage.await_answers(COUNT.into(), 0);
    stage.server.stop();
}
