//! A hundred thousand connections: limits in total and per client network, and who makes room.

use crate::others::Over;
use crate::stage::{Stage, ask, small};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use tests::netns::privileged;
use tests::process::{alone, raise_descriptors, resident_kib};
use tests::tcp::{Client, framed};

/// Connections that are opened.
const OPENED: usize = 100_000;
/// Descriptors of a process that are for all else.
const BESIDE: u64 = 600;
/// Connections of each client network.
const EACH: usize = 200;

#[test]
fn of_a_hundred_thousand_connections_the_oldest_idle_make_room_for_the_newest() {
    let name = "crowd::of_a_hundred_thousand_connections_the_oldest_idle_make_room_for_the_newest";
    if !privileged() {
        return;
    }
    // Both ends of a connection are descriptors, each in a process that may have so many.
    alone(name, || {
        let room = usize::try_from(raise_descriptors() - BESIDE).expect("64 bits");
        let total = room.min(OPENED);
        crowd(total, OPENED.max(total + total / 10));
    });
}

/// Opens connections one by one, each with a query; those that asked last must be left.
fn crowd(total: usize, opened: usize) {
    let Some(stage) = Stage::new(&patient(total, 1000)) else {
        return;
    };
    // Others have one connection, which is never the oldest.
    let room = total - 1;
    stage.while_others_ask(Over::Established, || {
        let before = resident_kib(stage.server.id());
        let mut crowd = Crowd::default();
        (0..room).for_each(|number| crowd.open(&stage, number));
        let grown = resident_kib(stage.server.id()) - before;
        eprintln!("{room} connections: {grown} KiB more in the server");
        // So that the order of opening is not that of asking.
        (0..room).step_by(5).for_each(|number| crowd.ask(number));
        for number in room..opened {
            crowd.open(&stage, number);
            crowd.oldest_is_closed();
        }
        let stats = stage.server.stats();
        assert_eq!(
            stats.tcp("closed.evicted"),
            (opened - room) as u64,
            "{stats}"
        );
        assert_eq!(stats.tcp("open"), total as u64, "{stats}");
        assert_eq!(crowd.open_count(), room);
    });
    stage.await_open(0);
    stage.server.stop();
}

#[test]
fn a_network_that_wants_more_than_its_share_closes_its_own_oldest_or_is_refused() {
    // The default of `tcp.connections_per_network_max`.
    const SHARE: usize = 1000;
    let Some(stage) = Stage::new(&patient(50_000, SHARE)) else {
        return;
    };
    stage.while_others_ask(Over::All, || {
        let mut neighbours = Crowd::default();
        (0..50).for_each(|number| neighbours.open(&stage, EACH + number));
        let mut greedy = Crowd::default();
        (0..SHARE).for_each(|_| greedy.open(&stage, 0));
        (0..SHARE).step_by(7).for_each(|number| greedy.ask(number));
        for _ in 0..300 {
            greedy.open(&stage, 0);
            greedy.oldest_is_closed();
        }
        assert_eq!(greedy.open_count(), SHARE);
        // One that is in the middle of a query is not closed for another.
        let query = framed(&small(3));
        greedy.each(|client| client.send(&query[..query.len() - 1]));
        stage.server.await_stats(|stats| {
            let mut more = stage.connect(0, 9);
            assert!(more.is_closed(), "{stats}");
            stats.tcp("closed.refused_network") >= 20
        });
        assert_eq!(greedy.open_count(), SHARE);
        greedy.each(|client| {
            client.send(&query[query.len() - 1..]);
            assert_eq!(client.receive().expect("a reply")[..2], [0, 3]);
        });
        assert_eq!(neighbours.open_count(), 50);
        neighbours.each(|client| ask(client, 4));
        let stats = stage.server.stats();
        assert_eq!(stats.tcp("closed.evicted"), 300, "{stats}");
    });
    stage.await_open(0);
    stage.server.stop();
}

/// A server that closes nothing for its age within the test.
fn patient(total: usize, per_network: usize) -> String {
    format!(
        "[tcp]\nconnections_max = {total}\nconnections_per_network_max = {per_network}\n\
         keepalive_ms = 600000\nreceive_timeout_ms = 600000\n"
    )
}

/// Connections by their numbers, and the order in which they asked last.
#[derive(Default)]
struct Crowd {
    clients: Vec<Option<Client>>,
    /// How often each has asked.
    asked: Vec<u32>,
    /// Who asked, and how often it had by then, the oldest first.
    order: VecDeque<(usize, u32)>,
}

impl Crowd {
    /// Opens one from the network that this number is in, and asks.
    fn open(&mut self, stage: &Stage, number: usize) {
        let client = stage.connect(number / EACH, 1);
        self.clients.push(Some(client));
        self.asked.push(0);
        self.ask(self.clients.len() - 1);
    }

    fn ask(&mut self, index: usize) {
        let client = self.clients[index].as_mut();
        ask(client.expect("it had to make no room"), 1);
        self.asked[index] += 1;
        self.order.push_back((index, self.asked[index]));
    }

    /// Whoever asked longest ago must be closed by now; lets go of it.
    fn oldest_is_closed(&mut self) {
        let index = loop {
            let (index, asked) = self.order.pop_front().expect("somebody asked");
            if self.asked[index] == asked {
                break index;
            }
        };
        let mut client = self.clients[index].take().expect("each is closed once");
        assert!(client.is_closed(), "{index} is not closed");
    }

    /// How many are open, by what they see themselves.
    fn open_count(&mut self) -> usize {
        let is_open = |client: &mut Client| {
            client.0.set_nonblocking(true).expect("a socket");
            let end = client.0.read(&mut [0; 1]);
            client.0.set_nonblocking(false).expect("a socket");
            end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        };
        self.clients
            .iter_mut()
            .flatten()
            .map(is_open)
            .filter(|&open| open)
            .count()
    }

    /// Does something with all that are left, the oldest first.
    fn each(&mut self, work: impl FnMut(&mut Client)) {
        self.clients.iter_mut().flatten().for_each(work);
    }
}
