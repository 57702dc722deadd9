//! Who does not read loses, and nobody else.

use crate::stage::{Onlooker, start};
use serde_json::{Value, json};
use std::time::Duration;
use tests::client::{load, query};
use tests::record::rtype;

const COUNT: u16 = 20_000;

/// Entries that come until all are there or told as lost; and how many are.
fn read(onlooker: &mut Onlooker) -> (u64, u64) {
    let (mut entries, mut lost) = (0, 0);
    while entries + lost < u64::from(COUNT) {
        let line = onlooker.next().expect("there is more");
        match line.get("lost") {
            Some(count) => lost += count.as_u64().expect("a number"),
            None => entries += u64::from(line.get("entry").is_some_and(Value::is_object)),
        }
    }
    (entries, lost)
}

#[test]
fn who_does_not_read_loses_what_is_counted_and_others_lose_nothing() {
    let (server, address) = start();
    let mut slow = Onlooker::begin(&server, "tail", json!({}));
    let mut fast = Onlooker::begin(&server, "tail", json!({}));
    std::thread::scope(|scope| {
        let fast = scope.spawn(|| read(&mut fast));
        let query = query("www.example", rtype::A);
        let answered = load(address, &query, COUNT, Duration::from_secs(3));
        assert_eq!(answered.received, usize::from(COUNT));
        assert_eq!(fast.join().expect("no panic"), (COUNT.into(), 0));
    });
    let stats = server.await_stats(|stats| stats.query_log("recorded") == u64::from(COUNT));
    let counted = stats.live("lost");
    let (entries, lost) = read(&mut slow);
    assert_eq!((entries + lost, lost), (COUNT.into(), counted));
    assert!(entries > 1000 && lost > 1000, "{entries} and {lost}");
    server.stop();
}
