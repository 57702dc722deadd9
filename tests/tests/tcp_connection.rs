//! The TCP connection as a state machine: no socket, no clock, every split.

use proptest::prelude::*;
use ripples::port::VECTOR_CAPACITY;
use ripples::tcp::{
    Answers, Connection, Messages, Next, Respond, Stock, TcpClose, TcpCounters, TcpEvent, TcpTally,
    TcpTotals, Visit, Wait,
};
use tests::tcp::{Echo, answer_to, framed, peer, query, query_for};

#[test]
fn answers_do_not_depend_on_where_the_stream_is_split() {
    let queries = [query(1, 12), query(2, 300), query(3, 40), query(4, 12)];
    let stream = stream_of(&queries);
    let expected = answers_to(&queries);
    for first in 0..=stream.len() {
        for second in [first, (first + 1).min(stream.len()), stream.len()] {
            let mut desk = Desk::default();
            let mut line = Line::new(0);
            for piece in [&stream[..first], &stream[first..second], &stream[second..]] {
                if !piece.is_empty() {
                    line.receive(&mut desk, piece, 0);
                }
            }
            assert_eq!(line.sent, expected, "split at {first} and {second}");
            assert_eq!(desk.stock.bytes_held(), 0);
        }
    }
}

#[test]
fn answers_are_right_when_every_byte_comes_alone() {
    let queries = [query(1, 12), query(2, 300), query(3, 40)];
    let mut desk = Desk::default();
    let mut line = Line::new(0);
    for byte in stream_of(&queries) {
        line.receive(&mut desk, &[byte], 0);
    }
    assert_eq!(line.sent, answers_to(&queries));
    assert_eq!(desk.stock.bytes_held(), 0);
}

proptest! {
    /// Any messages, in any pieces, with any share per visit, into a socket that takes any number
    /// of bytes at a time.
    #[test]
    fn every_query_is_answered_once_in_order_and_no_memory_stays_behind(
        lens in prop::collection::vec((12usize..2000, 0u16..3000), 1..20),
        pieces in prop::collection::vec(1usize..3000, 1..50),
        shares in prop::collection::vec(1u32..6, 1..10),
        takes in prop::collection::vec(0usize..5000, 1..20),
        bound in 512usize..4096,
    ) {
        let queries: Vec<Vec<u8>> = (0..).zip(&lens).map(|(id, &(len, reply_len))| {
            let mut query = query(id, len);
            query[4..6].copy_from_slice(&reply_len.to_be_bytes());
            query
        }).collect();
        let stream = stream_of(&queries);
        let mut desk = Desk { answers: Answers::new(bound), ..Desk::default() };
        let mut line = Line::new(0);
        let (mut pieces, mut shares) = (pieces.iter().cycle(), shares.iter().cycle());
        let mut takes = takes.iter().chain(&[usize::MAX]).cycle();
        let mut rest = stream.as_slice();
        let reason = loop {
            desk.queries_per_visit = *shares.next().unwrap();
            line.takes = *takes.next().unwrap();
            match line.connection.next() {
                Next::Receive if rest.is_empty() => line.connection.receive_end(),
                Next::Receive => {
                    let (piece, behind) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
                    line.receive(&mut desk, piece, 0);
                    rest = behind;
                }
                Next::Resume => line.resume(&mut desk, 0),
                Next::Send => line.send(&mut desk, 0),
                Next::Close(reason) => break reason,
            }
        };
        prop_assert_eq!(reason, TcpClose::ByClient);
        prop_assert_eq!(line.sent, answers_to(&queries));
        prop_assert_eq!(desk.stock.bytes_held(), 0);
    }
}

#[test]
fn connections_that_are_visited_in_turn_do_not_mix() {
    let mut desk = Desk::default();
    let queries: Vec<Vec<u8>> = (0..50).map(|id| query(id, 20 + usize::from(id))).collect();
    let mut lines: Vec<Line> = queries.iter().map(|_| Line::new(0)).collect();
    for at in 0..72 {
        for (line, query) in lines.iter_mut().zip(&queries) {
            if let Some(byte) = framed(query).get(at) {
                line.takes = at % 7; // the rest of the answer is left over
                line.receive(&mut desk, &[*byte], 0);
            }
        }
    }
    for (line, query) in lines.iter_mut().zip(&queries) {
        line.takes = usize::MAX;
        line.send(&mut desk, 0);
        assert_eq!(line.sent, framed(&answer_to(query)));
    }
    assert_eq!(desk.stock.bytes_held(), 0);
}

#[test]
fn the_largest_message_is_answered_and_holds_at_most_twice_what_has_come() {
    let query = query(7, 65_535);
    let stream = framed(&query);
    for piece_len in [1448, 65_535] {
        let mut desk = Desk::default();
        let mut line = Line::new(0);
        for (index, piece) in stream.chunks(piece_len).enumerate() {
            line.receive(&mut desk, piece, 0);
            assert!(desk.stock.bytes_held() <= 2 * piece_len * (index + 1));
        }
        assert_eq!(line.sent, framed(&answer_to(&query)));
        assert_eq!(desk.stock.bytes_held(), 0);
    }
}

#[test]
fn the_answers_to_a_vector_of_pipelined_queries_leave_in_one_send() {
    let queries: Vec<Vec<u8>> = (0..300).map(|id| query(id, 30)).collect();
    let mut desk = Desk::default();
    let mut line = Line::new(0);
    line.receive(&mut desk, &stream_of(&queries), 0);
    let first = answers_to(&queries[..VECTOR_CAPACITY]);
    assert!(line.sends == 1 && line.sent == first);
    assert_eq!(line.connection.next(), Next::Resume);
    line.resume(&mut desk, 0);
    assert!(line.sends == 2 && line.sent == answers_to(&queries));
}

#[test]
fn queries_whose_client_does_not_read_go_back_and_fewer_are_taken_next_time() {
    let queries: Vec<Vec<u8>> = (0..100).map(|id| query_for(id, 5000)).collect();
    let torn = framed(&query(200, 30));
    let mut desk = Desk::default();
    let mut line = Line::new(0);
    line.takes = 15_000; // all of three answers but a few bytes
    let stream = [stream_of(&queries), torn[..20].to_vec()].concat();
    line.receive(&mut desk, &stream, 0);
    assert_eq!((line.connection.next(), line.sends), (Next::Send, 1));
    assert_eq!(line.connection.share(), 3);
    line.takes = 1;
    line.send(&mut desk, 0);
    assert_eq!(line.connection.share(), 3, "it has not read an answer yet");
    assert!(
        desk.stock.bytes_held() <= 4096,
        "answers that nobody reads are kept"
    );
    line.takes = usize::MAX;
    while line.connection.next() != Next::Receive {
        match line.connection.next() {
            Next::Send => line.send(&mut desk, 0),
            _ => line.resume(&mut desk, 0),
        }
    }
    line.receive(&mut desk, &torn[20..], 0);
    let all = [queries, vec![query(200, 30)]].concat();
    assert!(line.sent == answers_to(&all));
    assert_eq!(desk.stock.bytes_held(), 0);
    assert!(line.connection.share() >= 100, "it reads again");
    let totals = desk.totals();
    let counted = [TcpEvent::Queries, TcpEvent::Answers].map(|event| totals.events(event));
    assert_eq!(counted, [101, 101], "each counts once");
}

#[test]
fn queries_beyond_a_visits_share_wait_for_the_next_one() {
    let queries: Vec<Vec<u8>> = (0..8).map(|id| query(id, 30)).collect();
    let stream = [stream_of(&queries), vec![0, 40]].concat();
    let mut desk = Desk {
        queries_per_visit: 3,
        ..Desk::default()
    };
    let mut line = Line::new(0);
    line.receive(&mut desk, &stream, 10);
    for answered in [3, 6] {
        assert_eq!(line.sent, answers_to(&queries[..answered]));
        assert_eq!(line.connection.next(), Next::Resume);
        assert_eq!(line.waits, (Wait::Partial, 10));
        line.resume(&mut desk, 10);
    }
    assert_eq!(line.sent, answers_to(&queries));
    assert_eq!(line.connection.next(), Next::Receive);
    assert_eq!(line.waits, (Wait::Partial, 10));
}

#[test]
fn nothing_is_answered_while_a_client_does_not_read() {
    let mut desk = Desk::default();
    let mut line = Line::new(0);
    line.takes = 100;
    let queries = [query_for(1, 20_000), query(2, 30)];
    line.receive(&mut desk, &stream_of(&queries), 5);
    assert_eq!((line.sent.len(), line.connection.next()), (100, Next::Send));
    assert_eq!(line.waits, (Wait::Send, 5));
    for now_ms in 6..100 {
        line.send(&mut desk, now_ms);
        assert_eq!(line.waits, (Wait::Send, 5), "progress does not buy time");
    }
    line.takes = usize::MAX;
    line.send(&mut desk, 100);
    assert_eq!(line.connection.next(), Next::Resume);
    line.resume(&mut desk, 101);
    assert_eq!(
        (line.sent, line.waits),
        (answers_to(&queries), (Wait::Idle, 101))
    );
    assert_eq!(desk.stock.bytes_held(), 0);
}

#[test]
fn a_slow_query_is_timed_from_its_beginning() {
    let mut desk = Desk::default();
    let mut line = Line::new(1000);
    assert_eq!(line.connection.settle(1500), (Wait::First, 1000));
    let stream = framed(&query(1, 30));
    for (now_ms, byte) in (2000..).zip(&stream[..31]) {
        line.receive(&mut desk, &[*byte], now_ms);
        assert_eq!(line.waits, (Wait::First, 1000), "the first one from accept");
    }
    line.receive(&mut desk, &stream[31..], 3000);
    assert_eq!(line.waits, (Wait::Idle, 3000));
    assert_eq!(line.connection.settle(3500), (Wait::Idle, 3000));
    line.receive(&mut desk, &stream[..1], 4000);
    line.receive(&mut desk, &stream[1..2], 5000);
    assert_eq!(
        line.waits,
        (Wait::Partial, 4000),
        "any other from its first byte"
    );
    let rest = [&stream[2..], &stream[..9]].concat();
    line.receive(&mut desk, &rest, 6000);
    assert_eq!(line.waits, (Wait::Partial, 6000), "the next one anew");
}

#[test]
fn a_client_that_ends_its_side_still_gets_its_answers() {
    let queries: Vec<Vec<u8>> = (0..5).map(|id| query(id, 30)).collect();
    let mut desk = Desk {
        queries_per_visit: 2,
        ..Desk::default()
    };
    let mut line = Line::new(0);
    line.takes = 40;
    line.receive(&mut desk, &stream_of(&queries), 0);
    line.connection.receive_end();
    let reason = loop {
        match line.connection.next() {
            Next::Send => line.send(&mut desk, 0),
            Next::Resume => line.resume(&mut desk, 0),
            Next::Receive => panic!("the stream has ended"),
            Next::Close(reason) => break reason,
        }
    };
    assert_eq!(reason, TcpClose::ByClient);
    assert_eq!(line.sent, answers_to(&queries));
}

#[test]
fn the_end_of_the_stream_says_what_was_missing() {
    let whole = framed(&query(1, 12));
    for (sent, reason) in [
        (vec![], TcpClose::NoQuery),
        (vec![0], TcpClose::PartialQuery),
        (whole[..13].to_vec(), TcpClose::PartialQuery),
        ([whole.as_slice(), &[0]].concat(), TcpClose::PartialQuery),
        (whole, TcpClose::ByClient),
    ] {
        let mut line = Line::new(0);
        line.receive(&mut Desk::default(), &sent, 0);
        line.connection.receive_end();
        assert_eq!(line.connection.next(), Next::Close(reason), "{sent:?}");
    }
}

#[test]
fn a_message_without_an_answer_ends_the_connection_behind_the_answers_before_it() {
    let mut response = query(2, 12);
    response[2] = 0x80;
    for bad in [response, vec![], vec![0; 11]] {
        let mut desk = Desk::default();
        let mut line = Line::new(0);
        line.takes = 5;
        line.receive(&mut desk, &stream_of(&[query(1, 20), bad, query(3, 20)]), 0);
        assert_eq!(line.connection.next(), Next::Send);
        line.takes = usize::MAX;
        line.send(&mut desk, 0);
        assert_eq!(line.connection.next(), Next::Close(TcpClose::Unanswered));
        assert_eq!(line.sent, answers_to(&[query(1, 20)]));
        assert_eq!(desk.stock.bytes_held(), 0);
    }
}

#[test]
fn a_query_over_the_limit_is_refused_by_its_length_alone() {
    let mut desk = Desk {
        query_size_max: 512,
        ..Desk::default()
    };
    let mut line = Line::new(0);
    line.receive(&mut desk, &framed(&query(1, 512)), 0);
    assert_eq!(line.connection.next(), Next::Receive);
    line.receive(&mut desk, &[2], 0);
    assert_eq!(line.connection.next(), Next::Receive);
    line.receive(&mut desk, &[1], 0);
    assert_eq!(line.connection.next(), Next::Close(TcpClose::TooLarge));
}

#[test]
fn a_connection_that_needs_memory_when_there_is_none_is_closed_and_others_are_served() {
    let mut desk = Desk {
        stock: Stock::new(1024),
        ..Desk::default()
    };
    let mut hoarders = [Line::new(0), Line::new(0), Line::new(0)];
    for line in &mut hoarders {
        line.receive(&mut desk, &[0], 0);
    }
    let closed = Next::Close(TcpClose::OutOfMemory);
    let next = hoarders.each_ref().map(|line| line.connection.next());
    assert_eq!(next, [Next::Receive, Next::Receive, closed]);
    let mut honest = Line::new(0);
    honest.receive(&mut desk, &framed(&query(1, 30)), 0);
    assert_eq!(honest.sent, answers_to(&[query(1, 30)]));
    let mut unread = Line::new(0);
    unread.takes = 0;
    unread.receive(&mut desk, &framed(&query(1, 30)), 0);
    assert_eq!(unread.connection.next(), closed);
    for line in hoarders {
        line.connection.dismiss(&mut desk.stock);
    }
    assert_eq!(desk.stock.bytes_held(), 0);
}

fn stream_of(queries: &[Vec<u8>]) -> Vec<u8> {
    queries.iter().flat_map(|query| framed(query)).collect()
}

fn answers_to(queries: &[Vec<u8>]) -> Vec<u8> {
    queries
        .iter()
        .flat_map(|query| framed(&answer_to(query)))
        .collect()
}

/// What all connections of a test share.
struct Desk {
    messages: Messages,
    answers: Answers,
    stock: Stock,
    tally: TcpTally,
    echo: Echo,
    queries_per_visit: u32,
    query_size_max: usize,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            messages: Messages::new(VECTOR_CAPACITY),
            answers: Answers::new(12_288),
            stock: Stock::new(1 << 20),
            tally: TcpTally::default(),
            echo: Echo::default(),
            queries_per_visit: u32::MAX,
            query_size_max: 65_535,
        }
    }
}

/// A connection and a socket that takes `takes` bytes per send.
struct Line {
    connection: Connection,
    takes: usize,
    sent: Vec<u8>,
    sends: u32,
    waits: (Wait, u64),
}

impl Line {
    fn new(now_ms: u64) -> Self {
        Self {
            connection: Connection::new(peer(), now_ms),
            takes: usize::MAX,
            sent: Vec::new(),
            sends: 0,
            waits: (Wait::First, now_ms),
        }
    }

    fn receive(&mut self, desk: &mut Desk, bytes: &[u8], now_ms: u64) {
        let mut visit = desk.visit(&self.connection);
        self.connection.receive(bytes, &mut visit);
        self.send(desk, now_ms);
    }

    fn resume(&mut self, desk: &mut Desk, now_ms: u64) {
        let mut visit = desk.visit(&self.connection);
        self.connection.resume(&mut visit);
        self.send(desk, now_ms);
    }

    /// Has the queries answered that were received, and sends what there is to send.
    fn send(&mut self, desk: &mut Desk, now_ms: u64) {
        desk.echo.respond(&mut desk.messages);
        let mut range = 0..desk.messages.len();
        loop {
            let mut visit = desk.visit(&self.connection);
            self.connection.collect(&mut range, &mut visit);
            let unsent = self.connection.unsent(&desk.answers);
            if !unsent.is_empty() {
                let count = unsent.len().min(self.takes);
                self.sent.extend(&unsent[..count]);
                self.sends += 1;
                self.connection
                    .sent(count, &mut desk.answers, &mut desk.stock);
            }
            if range.is_empty() || !self.connection.is_flowing() {
                break;
            }
        }
        let rest = desk.messages.queries(range.start..desk.messages.len());
        self.connection
            .give_back(range.start, rest, &mut desk.stock);
        desk.messages.clear();
        self.waits = self.connection.settle(now_ms);
    }
}

impl Desk {
    fn totals(&mut self) -> TcpTotals {
        let counters = TcpCounters::default();
        counters.publish(&mut self.tally);
        counters.totals()
    }

    fn visit(&mut self, connection: &Connection) -> Visit<'_> {
        Visit {
            queries_left: self.queries_per_visit.min(connection.share()),
            query_size_max: self.query_size_max,
            messages: &mut self.messages,
            answers: &mut self.answers,
            stock: &mut self.stock,
            tally: &mut self.tally,
        }
    }
}
