//! After warm-up, answering over TCP allocates nothing: whole, pipelined, torn and unread alike.

use ripples::tcp::{Sibling, TcpConfig, TcpCounters, TcpEvent};
use std::io::Read;
use std::sync::Arc;
use tests::alloc::{CountingAllocator, allocations};
use tests::tcp::{Client, Echo, framed, query, query_for};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn the_allocator_counts() {
    let before = allocations();
    std::hint::black_box(Box::new(7));
    assert_eq!(allocations(), before + 1);
}

#[test]
fn a_turn_allocates_nothing_after_warm_up() {
    let config = TcpConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..TcpConfig::default()
    };
    let counters = Arc::new(TcpCounters::default());
    let mut sibling = Sibling::new(config, counters.clone()).unwrap();
    let mut echo = Echo::default();
    let address = sibling.addresses()[0];
    let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(address)).collect();
    let pipelined = framed(&query(1, 40)).repeat(50);
    let unread = framed(&query_for(2, 60_000)).repeat(100);
    let torn = framed(&query(3, 5000));
    let mut sink = vec![0; 1 << 20];
    let mut rounds = Vec::new();
    // Which sizes of blocks a round needs depends on how the kernel cuts the streams, so there is
    // no first round after warm-up; but an allocation per query would be in every round.
    while !rounds.ends_with(&[0; 10]) {
        assert!(rounds.len() < 100, "allocations per round: {rounds:?}");
        let before = allocations();
        let mut run = |sibling: &mut Sibling| {
            while !sibling.turn(5, &mut echo).unwrap().idle {}
        };
        for (index, client) in clients.iter_mut().enumerate() {
            client.send(if index == 0 { &unread } else { &pipelined });
            client.send(&torn[..3000]);
        }
        run(&mut sibling);
        assert!(sibling.memory_held() > 0, "nothing was torn or unread");
        for client in &mut clients {
            client.send(&torn[3000..]);
            client.0.set_nonblocking(true).unwrap();
        }
        while sibling.memory_held() > 0 {
            for client in &mut clients {
                while client.0.read(&mut sink).is_ok() {}
            }
            run(&mut sibling);
        }
        for client in &mut clients {
            while client.0.read(&mut sink).is_ok() {}
            client.0.set_nonblocking(false).unwrap();
        }
        rounds.push(allocations() - before);
    }
    let queries = counters.totals().events(TcpEvent::Queries);
    assert_eq!(
        queries,
        u64::try_from(rounds.len()).unwrap() * (100 + 19 * 50 + 20)
    );
    assert!(rounds[0] > 0, "nothing is counted");
}
