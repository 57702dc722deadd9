//! The sibling thread over real sockets on loopback.

use ripples::tcp::{Sibling, TcpClose, TcpConfig, TcpCounters, TcpEvent};
use std::io::Read;
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::tcp::{Client, Echo, Server, answer_to, framed, peer, query, query_for, sibling_with};

#[test]
fn answers_on_every_address_and_knows_both_ends() {
    let listen = ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"];
    let config = TcpConfig {
        listen: listen.map(|address| address.parse().unwrap()).to_vec(),
        ..TcpConfig::default()
    };
    let counters = Arc::new(TcpCounters::default());
    let mut sibling = Sibling::new(config, counters).unwrap();
    let (addresses, waker) = (sibling.addresses(), sibling.waker());
    let mut echo = Echo {
        peers: Some(Vec::new()),
        ..Echo::default()
    };
    let server = std::thread::spawn(move || {
        while !sibling.turn(1000, &mut echo).unwrap().finished {}
        echo.peers.unwrap()
    });
    let mut expected = Vec::new();
    for listening in addresses {
        let mut address = listening;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => [127, 0, 0, 7].into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let mut client = Client::connect(address);
        client.ask(&query(1, 40));
        expected.push((client.0.local_addr().unwrap(), address));
    }
    waker.stop();
    let peers = server.join().unwrap();
    let peers: Vec<_> = peers.iter().map(|peer| (peer.client, peer.local)).collect();
    assert_eq!(peers, expected);
}

#[test]
fn queries_split_at_every_byte_are_answered() {
    let server = Server::start(TcpConfig::default());
    let queries = [query(1, 20), query(2, 31)];
    let stream: Vec<u8> = queries.iter().flat_map(|query| framed(query)).collect();
    let mut clients: Vec<Client> = stream.iter().map(|_| server.connect()).collect();
    for (split, client) in clients.iter_mut().enumerate() {
        client.send(&stream[..split]);
    }
    server.await_events(TcpEvent::Accepted, u64::try_from(clients.len()).unwrap());
    for (split, client) in clients.iter_mut().enumerate() {
        client.send(&stream[split..]);
        for query in &queries {
            assert_eq!(client.receive().unwrap(), answer_to(query));
        }
    }
    drop(clients);
    assert_eq!(server.finish().memory_held, 0);
}

#[test]
fn a_thousand_pipelined_queries_are_answered_in_order() {
    let server = Server::start(TcpConfig::default());
    let queries: Vec<Vec<u8>> = (0..1000)
        .map(|id| query(id, 12 + usize::from(id)))
        .collect();
    let stream: Vec<u8> = queries.iter().flat_map(|query| framed(query)).collect();
    let mut client = server.connect();
    let mut sender = Client(client.0.try_clone().unwrap());
    let sending = std::thread::spawn(move || sender.send(&stream));
    for query in &queries {
        assert_eq!(client.receive().unwrap(), answer_to(query));
    }
    sending.join().unwrap();
    drop(client);
    server.await_closes(TcpClose::ByClient, 1);
    assert_eq!(server.totals().events(TcpEvent::Queries), 1000);
    server.finish();
}

#[test]
fn pipelining_connections_take_turns() {
    let server = Server::start(TcpConfig::default());
    let queries: Vec<Vec<u8>> = (0..300).map(|id| query(id, 40)).collect();
    let stream: Vec<u8> = queries.iter().flat_map(|query| framed(query)).collect();
    let mut clients: Vec<Client> = (0..30).map(|_| server.connect()).collect();
    for piece in stream.chunks(1001) {
        clients.iter_mut().for_each(|client| client.send(piece));
    }
    for query in &queries {
        for client in &mut clients {
            assert_eq!(client.receive().unwrap(), answer_to(query));
        }
    }
    drop(clients);
    server.finish();
}

#[test]
fn what_has_come_over_all_connections_is_one_vector() {
    let mut sibling = sibling_with(TcpConfig {
        events_per_wait: 64,
        accepts_per_turn: 64,
        ..TcpConfig::default()
    });
    let mut echo = Echo::default();
    let address = sibling.addresses()[0];
    let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(address)).collect();
    while !sibling.turn(10, &mut echo).unwrap().idle {}
    for (id, client) in (0..).zip(&mut clients) {
        client.send(&framed(&query(id, 40)).repeat(3));
    }
    while !sibling.turn(10, &mut echo).unwrap().idle {}
    assert_eq!(echo.longest_vector, 60);
    for (id, client) in (0..).zip(&mut clients) {
        for _ in 0..3 {
            assert_eq!(client.receive().unwrap(), answer_to(&query(id, 40)));
        }
    }
}

#[test]
fn a_turn_tells_when_there_may_be_more_events_than_it_was_told_of() {
    let mut sibling = sibling_with(TcpConfig {
        events_per_wait: 3,
        ..TcpConfig::default()
    });
    let mut echo = Echo::default();
    let address = sibling.addresses()[0];
    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(address)).collect();
    while !sibling.turn(10, &mut echo).unwrap().idle {}
    clients[0].send(&framed(&query(1, 40)));
    assert!(!sibling.turn(1000, &mut echo).unwrap().crowded);
    for client in &mut clients {
        client.send(&framed(&query(1, 40)));
    }
    assert!(sibling.turn(1000, &mut echo).unwrap().crowded);
}

#[test]
fn queries_count_whether_or_not_a_message_among_them_is_answered() {
    let server = Server::start(TcpConfig::default());
    let mut client = server.connect();
    let mut response = query(3, 12);
    response[2] = 0x80;
    let queries = [query(1, 30), query(2, 30), response, query(4, 30)];
    client.send(&queries.each_ref().map(|query| framed(query)).concat());
    server.await_closes(TcpClose::Unanswered, 1);
    let totals = server.totals();
    let counted = [TcpEvent::Queries, TcpEvent::Answers].map(|event| totals.events(event));
    assert_eq!(counted, [4, 2]);
    server.finish();
}

#[test]
fn a_greedy_client_waits_for_the_others_after_its_share() {
    let mut sibling = sibling_with(TcpConfig {
        queries_per_read: 5,
        ..TcpConfig::default()
    });
    let mut echo = Echo {
        peers: Some(Vec::new()),
        ..Echo::default()
    };
    let mut greedy = Client::connect(sibling.addresses()[0]);
    let mut modest = Client::connect(sibling.addresses()[0]);
    greedy.send(&framed(&query(1, 30)).repeat(100));
    modest.send(&framed(&query(1, 30)));
    while echo.peers.as_ref().unwrap().len() < 101 {
        sibling.turn(1000, &mut echo).unwrap();
    }
    let modest = modest.0.local_addr().unwrap();
    let served = echo.peers.unwrap();
    let place = served.iter().position(|peer| peer.client == modest);
    assert_eq!(place, Some(5));
}

#[test]
fn a_turn_keeps_to_its_shares_and_the_next_one_follows_at_once() {
    let counters = Arc::new(TcpCounters::default());
    let config = TcpConfig {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        accepts_per_turn: 2,
        events_per_wait: 3,
        queries_per_read: 4,
        ..TcpConfig::default()
    };
    let mut sibling = Sibling::new(config, counters.clone()).unwrap();
    let mut echo = Echo::default();
    let address = sibling.addresses()[0];
    let mut clients: Vec<Client> = (0..5).map(|_| Client::connect(address)).collect();
    clients
        .iter_mut()
        .for_each(|client| client.send(&framed(&query(1, 30)).repeat(60)));
    let started = Instant::now();
    let (mut accepted, mut answered) = (0, 0);
    // Until two are left: one alone is not interrupted.
    while answered < 200 {
        sibling.turn(60_000, &mut echo).unwrap();
        let totals = counters.totals();
        assert!(totals.events(TcpEvent::Accepted) - accepted <= 2);
        assert!(totals.events(TcpEvent::Queries) - answered <= 3 * 4);
        accepted = totals.events(TcpEvent::Accepted);
        answered = totals.events(TcpEvent::Queries);
    }
    assert_eq!(accepted, 5);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "it slept although there was work"
    );
}

#[test]
fn the_largest_queries_and_answers_pass() {
    let server = Server::start(TcpConfig::default());
    let mut client = server.connect();
    client.ask(&query(1, 65_535));
    client.ask(&query_for(2, 65_535));
    client.ask(&query(3, 12));
    drop(client);
    server.finish();
}

#[test]
fn a_client_that_ends_its_side_still_gets_its_answers() {
    let server = Server::start(TcpConfig::default());
    let mut client = server.connect();
    let queries: Vec<Vec<u8>> = (0..50).map(|id| query_for(id, 60_000)).collect();
    client.send(
        &queries
            .iter()
            .flat_map(|query| framed(query))
            .collect::<Vec<_>>(),
    );
    client.0.shutdown(Shutdown::Write).unwrap();
    for query in &queries {
        assert_eq!(client.receive().unwrap(), answer_to(query));
    }
    assert!(client.is_closed());
    server.await_closes(TcpClose::ByClient, 1);
    server.finish();
}

#[test]
fn a_reset_in_the_middle_of_an_answer_harms_nobody_else() {
    let server = Server::start(TcpConfig::default());
    let mut honest = server.connect();
    let count = 20;
    for id in 0..count {
        let mut client = server.connect();
        for _ in 0..200 {
            client.send(&framed(&query_for(id, 60_000)));
        }
        server.await_events(TcpEvent::BlockedSends, u64::from(id) + 1);
        client.reset();
        honest.ask(&query(id, 40));
    }
    server.await_totals(|totals| {
        let errors = totals.closes(TcpClose::WriteError) + totals.closes(TcpClose::ReadError);
        errors == u64::from(count)
    });
    drop(honest);
    server.finish();
}

#[test]
fn a_client_that_never_reads_is_reset_after_the_send_timeout() {
    let server = Server::start(TcpConfig {
        send_timeout_ms: 300,
        ..TcpConfig::default()
    });
    let mut client = server.connect();
    let started = Instant::now();
    // The server receives them at once, so that unread queries are not what resets the connection.
    client.send(&framed(&query_for(1, 60_000)).repeat(140));
    server.await_events(TcpEvent::BlockedSends, 1);
    let mut honest = server.connect();
    honest.ask(&query(1, 40));
    server.await_closes(TcpClose::SendTimeout, 1);
    assert!(started.elapsed() >= Duration::from_millis(300));
    let answered = server.totals().events(TcpEvent::Queries) - 1;
    assert!(answered < 140, "it went on answering");
    // Otherwise the kernel would hold the unread answers for as long as the client likes.
    let mut sink = vec![0; 1 << 16];
    let end = loop {
        match client.0.read(&mut sink) {
            Ok(0) => panic!("closed in an orderly way"),
            Ok(_) => {}
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(end, std::io::ErrorKind::ConnectionReset);
    drop(honest);
    server.finish();
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    let server = Server::start(TcpConfig::default());
    let mut client = server.connect();
    let queries: Vec<Vec<u8>> = (0..200).map(|id| query_for(id, 60_000)).collect();
    for query in &queries {
        client.send(&framed(query));
    }
    server.await_events(TcpEvent::BlockedSends, 1);
    for query in &queries {
        assert_eq!(client.receive().unwrap(), answer_to(query));
    }
    client.ask(&query(1, 30));
    drop(client);
    server.finish();
}

#[test]
fn a_client_that_sends_a_query_too_slowly_is_closed_after_the_receive_timeout() {
    let server = Server::start(TcpConfig {
        receive_timeout_ms: 300,
        ..TcpConfig::default()
    });
    let (mut silent, mut slow) = (server.connect(), server.connect());
    slow.ask(&query(1, 30));
    let started = Instant::now();
    for byte in framed(&query(2, 30)) {
        if std::io::Write::write_all(&mut slow.0, &[byte]).is_err() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(silent.is_closed() && slow.is_closed());
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_millis(250), "{elapsed:?}");
    server.await_closes(TcpClose::ReceiveTimeout, 2);
    assert_eq!(server.totals().events(TcpEvent::Queries), 1);
    server.finish();
}

#[test]
fn an_idle_client_is_closed_after_the_keepalive_time_which_each_query_sets_anew() {
    let server = Server::start(TcpConfig {
        keepalive_ms: 1000,
        ..TcpConfig::default()
    });
    let mut client = server.connect();
    let started = Instant::now();
    for id in 0..3 {
        client.ask(&query(id, 30));
        std::thread::park_timeout(Duration::from_millis(500));
    }
    client.ask(&query(3, 30));
    let asked = started.elapsed();
    assert!(asked >= Duration::from_millis(1500));
    std::thread::park_timeout(Duration::from_millis(600));
    server.waker.wake();
    assert!(client.is_closed());
    let idle = started.elapsed() - asked;
    assert!((995..3000).contains(&idle.as_millis()), "{idle:?}");
    server.await_closes(TcpClose::KeepaliveTimeout, 1);
    server.finish();
}

#[test]
fn a_client_that_speaks_something_else_is_closed() {
    let server = Server::start(TcpConfig {
        query_size_max: 4096,
        ..TcpConfig::default()
    });
    let mut response = query(1, 30);
    response[2] = 0x80;
    for message in [framed(&response), vec![0, 0], framed(&[0; 11])] {
        let mut client = server.connect();
        client.ask(&query(1, 30));
        client.send(&message);
        assert!(client.is_closed());
    }
    server.await_closes(TcpClose::Unanswered, 3);
    let mut browser = server.connect();
    browser.send(b"GET / HTTP/1.1\r\n\r\n");
    assert!(browser.is_closed());
    server.await_closes(TcpClose::TooLarge, 1);
    server.finish();
}

#[test]
fn clients_that_leave_are_counted_by_what_they_left_behind() {
    let server = Server::start(TcpConfig::default());
    drop(server.connect());
    server.await_closes(TcpClose::NoQuery, 1);
    let mut client = server.connect();
    client.send(&[0, 30, 1]);
    drop(client);
    server.await_closes(TcpClose::PartialQuery, 1);
    let mut client = server.connect();
    client.ask(&query(1, 30));
    drop(client);
    server.await_closes(TcpClose::ByClient, 1);
    let mut client = server.connect();
    client.ask(&query(1, 30));
    client.reset();
    server.await_closes(TcpClose::ReadError, 1);
    server.finish();
}

#[test]
fn a_query_that_has_arrived_is_answered_before_its_connection_makes_room() {
    let mut sibling = sibling_with(TcpConfig {
        connections_max: 1,
        ..TcpConfig::default()
    });
    let mut echo = Echo::default();
    let mut first = Client::connect(sibling.addresses()[0]);
    first.send(&framed(&query(1, 30)));
    while !sibling.turn(20, &mut echo).unwrap().idle {}
    first.send(&framed(&query(2, 30)));
    let _second = Client::connect(sibling.addresses()[0]);
    while !sibling.turn(20, &mut echo).unwrap().idle {}
    for id in 1..=2 {
        assert_eq!(first.receive().unwrap(), answer_to(&query(id, 30)));
    }
    assert!(first.is_closed());
}

/// A server that the test drives turn by turn.
#[test]
fn one_thread_can_serve_a_foreign_descriptor_too() {
    let mut sibling = sibling_with(TcpConfig::default());
    let mut echo = Echo::default();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    sibling.watch(&datagrams, 77).unwrap();
    assert!(sibling.turn(0, &mut echo).unwrap().idle);
    assert!(sibling.readable_tags().is_empty());

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .send_to(b"query", datagrams.local_addr().unwrap())
        .unwrap();
    let mut stream = Client::connect(sibling.addresses()[0]);
    stream.send(&framed(&query(1, 30)));
    let mut buffer = [0; 16];
    for _ in 0..3 {
        // Level-triggered: reported until its owner has taken everything.
        assert!(!sibling.turn(1000, &mut echo).unwrap().idle);
        assert_eq!(sibling.readable_tags(), [77]);
    }
    assert_eq!(stream.receive().unwrap(), answer_to(&query(1, 30)));
    assert_eq!(datagrams.recv(&mut buffer).unwrap(), 5);
    sibling.turn(0, &mut echo).unwrap();
    assert!(sibling.readable_tags().is_empty());
    client
        .send_to(b"query", datagrams.local_addr().unwrap())
        .unwrap();
    sibling.unwatch(&datagrams).unwrap();
    sibling.turn(0, &mut echo).unwrap();
    assert!(sibling.readable_tags().is_empty());
}

#[test]
fn a_waiting_thread_is_woken_from_outside_and_otherwise_sleeps() {
    let server = Server::start(TcpConfig::default());
    let turns = || server.totals().events(TcpEvent::Turns);
    let before = turns();
    std::thread::park_timeout(Duration::from_millis(300));
    assert_eq!(turns(), before, "nothing to do, yet it turned");
    for count in 1..=3 {
        server.waker.wake();
        server.await_events(TcpEvent::Turns, before + count);
    }
    server.finish();
}

#[test]
fn start_errors_name_the_option_or_the_address() {
    let start = |config| Sibling::new(config, Arc::new(TcpCounters::default())).unwrap_err();
    let error = start(TcpConfig {
        queries_per_read: 0,
        ..TcpConfig::default()
    });
    assert_eq!(
        error.to_string(),
        "tcp.queries_per_read = 0: must be 1 to 255"
    );
    let foreign: SocketAddr = peer().local;
    let error = start(TcpConfig {
        listen: vec![foreign],
        ..TcpConfig::default()
    });
    assert_eq!(
        error.to_string(),
        "TCP 192.0.2.53:53: no interface has this address; add it, or listen elsewhere"
    );
}
