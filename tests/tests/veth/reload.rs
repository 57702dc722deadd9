//! Reloads while queries come over AF_XDP.

use crate::stage::{self, PORT};
use std::time::Duration;
use tests::generations;
use tests::netns::{Veth, privileged};

/// Names of the zone, and the load on it.
const NAMES: usize = 20_000;
const RATE: u32 = 5_000;
const DURATION: Duration = Duration::from_secs(3);

/// The whole of it, with a million names, is `cargo xtask bench reload`.
#[test]
fn reloads_under_load_lose_no_query_and_every_answer_is_of_one_generation() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let server = stage::launch(&veth.server, &["--io", "xdp", "--no-watch"])
        .zone("steady.test", &generations::zone(1, NAMES))
        .start();
    let address = (veth.server.ipv4, PORT).into();
    let steady = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            veth.client
                .namespace
                .run(|| generations::run(address, NAMES, RATE, DURATION))
        });
        for generation in 2.. {
            if load.is_finished() {
                break;
            }
            server.rewrite("steady.test", &generations::zone(generation, NAMES));
            server.reload();
        }
        load.join().unwrap()
    });
    assert_eq!((steady.lost(), &steady.wrong[..]), (0, &[][..]));
    assert!(steady.generations.len() > 3, "{:?}", steady.generations);
    let stats = server.await_stats(|stats| stats.total("resources.snapshots_outstanding") == 0);
    assert_eq!(stats.total("resources.reload_errors"), 0);
    server.stop();
}
