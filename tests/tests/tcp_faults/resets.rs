//! Clients that reset, end and leave, at every moment.

use crate::others::Over;
use crate::stage::{Path, Stage, ask, huge, small};
use std::io::Read;
use std::net::Shutdown;
use tests::tcp::{Client, framed};

/// Connections of each kind.
const COUNT: usize = 500;

#[test]
fn resets_at_any_moment_harm_nobody_and_leave_nothing_behind_by_sockets() {
    resets_harm_nobody(Path::Sockets);
}

#[test]
fn resets_at_any_moment_harm_nobody_and_leave_nothing_behind_by_xdp() {
    resets_harm_nobody(Path::Xdp);
}

fn resets_harm_nobody(path: Path) {
    let Some(stage) = Stage::on(path, "", |launch| launch) else {
        return;
    };
    let descriptors = stage.descriptors_at_rest();
    stage.while_others_ask(Over::All, || {
        for number in 0..COUNT {
            KINDS
                .iter()
                .for_each(|kind| kind(stage.connect(number % 100, 1)));
        }
        let stats = stage.server.await_stats(|stats| stats.tcp("open") <= 2);
        let resets = stats.tcp("closed.read_error") + stats.tcp("closed.write_error");
        // Who resets before it is accepted may be told as the one or the other.
        assert!(resets >= 3 * COUNT as u64, "{stats}");
    });
    stage.await_open(0);
    assert_eq!(stage.descriptors_at_rest(), descriptors);
    stage.server.stop();
}

/// How a client can break off.
const KINDS: [fn(Client); 5] = [
    // Before it has said anything.
    Client::reset,
    // In the middle of a query.
    |mut client| {
        client.send(&framed(&small(1))[..9]);
        client.reset();
    },
    // With the reply on its way.
    |mut client| {
        client.send(&framed(&small(1)));
        client.reset();
    },
    // In the middle of the first of several large replies.
    |mut client| {
        for id in 0..20 {
            client.send(&framed(&huge(id)));
        }
        client
            .0
            .read_exact(&mut [0; 30_000])
            .expect("half of a reply");
        client.reset();
    },
    // Behind a reply.
    |mut client| {
        ask(&mut client, 1);
        client.reset();
    },
];

#[test]
fn who_connects_and_leaves_is_counted_and_leaves_nothing_behind() {
    let Some(stage) = Stage::new("") else { return };
    let descriptors = stage.descriptors_at_rest();
    stage.while_others_ask(Over::All, || {
        for number in 0..5000 {
            drop(stage.connect(number % 200, 1));
        }
        // They end their side, and stay.
        let mut clients: Vec<Client> = (0..2000)
            .map(|number| stage.connect(number % 200, 2))
            .collect();
        for client in &clients {
            client
                .0
                .shutdown(Shutdown::Write)
                .expect("an open connection");
        }
        assert!(clients.iter_mut().all(Client::is_closed));
    });
    let stats = stage.await_open(0);
    assert_eq!(stats.tcp("closed.no_query"), 7000, "{stats}");
    assert_eq!(stage.descriptors_at_rest(), descriptors);
    stage.server.stop();
}

#[test]
fn who_ends_its_side_after_its_queries_gets_all_replies() {
    let Some(stage) = Stage::new("") else { return };
    stage.while_others_ask(Over::All, || {
        let queries: Vec<u8> = (0..100).flat_map(|id| framed(&huge(id))).collect();
        let open = |network| {
            let mut client = stage.connect(network, 1);
            client.send(&queries);
            client
                .0
                .shutdown(Shutdown::Write)
                .expect("an open connection");
            client
        };
        let mut clients: Vec<Client> = (0..5).map(open).collect();
        for client in &mut clients {
            let mut ids: Vec<u16> = (0..100)
                .map(|_| client.receive().expect("a reply"))
                .map(|reply| u16::from_be_bytes([reply[0], reply[1]]))
                .collect();
            ids.sort_unstable();
            assert!(ids.into_iter().eq(0..100));
            assert!(client.is_closed());
        }
    });
    stage.await_open(0);
    stage.server.stop();
}
