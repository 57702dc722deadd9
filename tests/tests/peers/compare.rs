//! Asks all servers, and sorts what differs.

use crate::difference::{Part, Reply};
use crate::known::{ALONE, KNOWN, Known};
use crate::known_signed::KNOWN_SIGNED;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use tests::ask::Ask;
use tests::client::{ask_from, socket};
use tests::decoded::Decoded;
use tests::loopback;
use tests::name::Name;
use tests::peer::{Peer, Running, ZoneFile};
use tests::server::{Launch, Server};
use tests::tcp::{Client, framed};

/// Of this many queries one is asked over TCP too.
const TCP_EACH: usize = 5;

/// A query that two servers answered differently.
pub(crate) struct Case<'c> {
    pub(crate) peer: Peer,
    pub(crate) ask: &'c Ask,
    pub(crate) ours: &'c Decoded,
    pub(crate) theirs: &'c Decoded,
    pub(crate) parts: &'c BTreeSet<Part>,
    pub(crate) origins: &'c [Name],
    /// The names that own records, in small letters.
    pub(crate) owners: &'c BTreeSet<Name>,
    /// The lengths of the whole replies, where that may matter: over UDP, and one is cut.
    pub(crate) whole_len: Option<[usize; 2]>,
}

/// What was compared, and what came of it.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) queries: usize,
    /// How often each explanation of [`KNOWN`] was needed.
    pub(crate) explained: BTreeMap<&'static str, usize>,
    /// How often each of them spoke for us against all others together.
    alone: BTreeMap<&'static str, usize>,
    /// How often each kind of failure came, and the first of it.
    failures: BTreeMap<String, (usize, String)>,
}

/// All servers with the same zones.
pub(crate) struct Stage {
    ours: Server,
    address: SocketAddr,
    peers: Vec<Running>,
    origins: Vec<Name>,
    owners: BTreeSet<Name>,
}

impl Stage {
    /// Starts them; fails where one refuses a zone.
    pub(crate) fn new(zones: &[ZoneFile]) -> io::Result<Self> {
        let address = loopback::address();
        let listen = address.to_string();
        let launch = Launch::run(&["--io", "socket", "--log", "error", "--listen", &listen]);
        let launch = zones
            .iter()
            .fold(launch, |launch, (origin, text)| launch.zone(origin, text));
        let lines = zones.iter().flat_map(|(_, text)| text.lines());
        let owners = lines.filter_map(|line| line.split_whitespace().next());
        let peers = Peer::ALL.into_iter().map(|peer| peer.start(zones));
        Ok(Self {
            peers: peers.collect::<io::Result<_>>()?,
            ours: launch.start(),
            address,
            owners: owners.map(|owner| Name::parse(owner).lowered()).collect(),
            origins: zones
                .iter()
                .map(|(origin, _)| Name::parse(origin))
                .collect(),
        })
    }

    /// Puts the queries to all servers.
    pub(crate) fn compare(&self, asks: &[Ask], ledger: &mut Ledger) {
        self.compare_by(asks, ask_udp, ledger);
        let some: Vec<_> = asks.iter().step_by(TCP_EACH).cloned().collect();
        self.compare_by(&some, ask_tcp, ledger);
        assert!(self.ours.log().ends_with("ready\n"), "{}", self.ours.log());
    }

    fn compare_by(
        &self,
        asks: &[Ask],
        ask_all: fn(SocketAddr, &[Ask]) -> Vec<Vec<u8>>,
        ledger: &mut Ledger,
    ) {
        let addresses = self.peers.iter().map(Running::address);
        let addresses: Vec<_> = [self.address].into_iter().chain(addresses).collect();
        let replies: Vec<_> = std::thread::scope(|scope| {
            let threads = addresses
                .iter()
                .map(|&to| scope.spawn(move || ask_all(to, asks)));
            let threads: Vec<_> = threads.collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let is_udp = std::ptr::fn_addr_eq(ask_all, ask_udp as fn(SocketAddr, &[Ask]) -> _);
        for (number, ask) in asks.iter().enumerate() {
            let read = |replies: &Vec<Vec<u8>>| {
                let read = Reply::read(replies[number].clone());
                read.unwrap_or_else(|error| panic!("{error} in a reply to {ask:?}"))
            };
            let replies: Vec<_> = replies.iter().map(read).collect();
            self.judge(ask, is_udp, &replies, ledger);
        }
    }

    /// Compares the replies to one query, ours the first of them.
    fn judge(&self, ask: &Ask, is_udp: bool, replies: &[Reply], ledger: &mut Ledger) {
        ledger.queries += 1;
        let (ours, theirs) = replies.split_first().unwrap();
        let mut different = Vec::new();
        // Whether the others are of one mind, be it not ours.
        let is_alone = theirs
            .iter()
            .all(|peer| theirs[0].differs(peer, ask).is_empty());
        for (running, theirs) in self.peers.iter().zip(theirs) {
            let parts = ours.differs(theirs, ask);
            if parts.is_empty() {
                continue;
            }
            let is_cut = ours.decoded.tc || theirs.decoded.tc || parts.contains(&Part::Additional);
            let whole_len = (is_udp && is_cut).then(|| {
                [self.address, running.address()]
                    .map(|to| ask_tcp(to, std::slice::from_ref(ask))[0].len())
            });
            let case = Case {
                peer: running.peer(),
                ask,
                ours: &ours.decoded,
                theirs: &theirs.decoded,
                parts: &parts,
                origins: &self.origins,
                owners: &self.owners,
                whole_len,
            };
            let mut known = KNOWN_SIGNED.iter().chain(KNOWN);
            match known.find(|known| known.explains(&case)) {
                Some(Known { what, .. }) => {
                    *ledger.explained.entry(what).or_default() += 1;
                    *ledger.alone.entry(what).or_default() += usize::from(is_alone);
                }
                None => different.push((running.peer(), parts.clone(), &theirs.decoded)),
            }
        }
        for (peer, parts, reply) in &different {
            let kind = format!("{peer}, {parts:?}, all peers agree: {is_alone}");
            let (count, _) = ledger.failures.entry(kind).or_insert_with(|| {
                let (name, qtype, edns) = (&ask.name, ask.qtype, &ask.edns);
                let [ours, theirs] = [&ours.decoded, reply].map(show);
                let text = format!("{name} TYPE{qtype} {edns:?} \nours {ours}theirs {theirs}");
                (0, text)
            });
            *count += 1;
        }
    }
}

impl Ledger {
    /// Fails where an explanation is not needed any more.
    pub(crate) fn check_need(&self, known: &[Known]) {
        let all = known.iter().map(|known| known.what);
        let unneeded: Vec<_> = all
            .filter(|what| !self.explained.contains_key(what))
            .collect();
        assert!(unneeded.is_empty(), "not needed: {unneeded:?}");
    }

    /// Fails where something was not explained.
    pub(crate) fn check(&self) {
        let Self {
            queries, explained, ..
        } = self;
        let alone = &self.alone;
        eprintln!("{queries} queries, explained: {explained:#?}, against all others: {alone:#?}");
        let failures = self
            .failures
            .iter()
            .map(|(kind, (count, first))| format!("{count} × {kind}\n{first}\n"));
        let failures: Vec<_> = failures.collect();
        let against_all = alone.iter().filter(|(_, count)| **count > 0);
        let unjustified: Vec<_> = against_all
            .filter(|(what, _)| !ALONE.contains(what))
            .collect();
        assert!(unjustified.is_empty(), "all others agree: {unjustified:?}");
        assert!(
            failures.is_empty(),
            "{}{} queries, {:#?}",
            failures.concat(),
            self.queries,
            self.explained
        );
    }
}

fn ask_udp(server: SocketAddr, asks: &[Ask]) -> Vec<Vec<u8>> {
    let socket = socket(server);
    asks.iter()
        .map(|ask| ask_from(&socket, server, &ask.message()).0)
        .collect()
}

fn ask_tcp(server: SocketAddr, asks: &[Ask]) -> Vec<Vec<u8>> {
    let mut client = Client::connect(server);
    let ask = |ask: &Ask| {
        client.send(&framed(&ask.message()));
        client
            .receive()
            .unwrap_or_else(|error| panic!("{server}: {error} after {ask:?}"))
    };
    asks.iter().map(ask).collect()
}

/// A reply for people.
fn show(reply: &Decoded) -> String {
    let lines = reply
        .sections
        .iter()
        .zip([";", ";;", ";;;"])
        .flat_map(|(section, mark)| {
            let line = move |rr: &tests::decoded::Rr| {
                format!(
                    "  {mark} {} {} TYPE{} {}\n",
                    rr.owner, rr.ttl, rr.rtype, rr.text
                )
            };
            section.iter().take(12).map(line)
        });
    let (rcode, aa, tc, ra) = (reply.rcode, reply.aa, reply.tc, reply.ra);
    let lines: String = lines.collect();
    format!(
        "rcode {rcode} aa {aa} tc {tc} ra {ra} {:?}\n{lines}",
        reply.edns
    )
}
