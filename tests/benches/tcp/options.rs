//! What is measured, read from the words that `cargo xtask bench tcp` hands over.

use std::time::Duration;
use tests::tcp_load::Shape;
use tests::wire::kept::Kept;
use tests::wire::servers::{self, Server, Way};
use tests::words::{Words, list, number, seconds, value};

/// What is measured, how often it is gone through, and where the results go.
#[derive(Debug)]
pub(crate) struct Options {
    /// The parts, in this order.
    pub(crate) parts: Vec<Part>,
    /// Connections and pipelining, beside an echo.
    pub(crate) shapes: Vec<Shape>,
    /// What is compared.
    pub(crate) servers: Vec<&'static Server>,
    /// The loads that it is compared by.
    pub(crate) loads: Vec<PeerLoad>,
    /// How datagrams come in, where TCP and UDP are held against each other.
    pub(crate) paths: Vec<Path>,
    /// Queries a second of the light load, and of the flood over UDP at most.
    pub(crate) probe_rate: u32,
    pub(crate) flood_rate: u32,
    /// Whether servers and loads go before all else that the machine has to do; not in `balance`,
    /// where it would decide who of a server's threads runs.
    pub(crate) fifo: bool,
    /// How often all of it is gone through.
    pub(crate) rounds: usize,
    /// How long each point is measured.
    pub(crate) window: Duration,
    /// What is done with the points.
    pub(crate) kept: Kept,
    /// More arguments for Ripples.
    pub(crate) ripples: Vec<String>,
    /// Whether it measures, or is only to be seen to work.
    pub(crate) is_measured: bool,
}

/// A part that can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Connections and pipelining, beside an echo.
    Shapes,
    /// Other servers under the same load.
    Peers,
    /// A light load under a flood.
    Balance,
}

/// Who asks the servers that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerLoad {
    /// dnsperf, which is a limit itself.
    Dnsperf,
    /// This benchmark's own generator.
    Own(Shape),
}

/// How datagrams come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// `--io socket`: a worker's sockets.
    Socket,
    /// `--io xdp`, by an interface without it: the sibling's sockets.
    Passed,
    /// `--io xdp`, by the interface with it.
    Xdp,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Panics
    /// With what is wrong.
    pub(crate) fn read(words: &Words) -> Self {
        let mut options = Self::new(words.measured);
        options.ripples.clone_from(&words.server);
        let mut words = words.options.iter();
        while let Some(name) = words.next() {
            match name.as_str() {
                "--fifo" => options.fifo = true,
                flag if options.kept.flag(flag) => {}
                _ => {
                    let value = value(name, &mut words);
                    options.set(name, value);
                }
            }
        }
        options
    }

    fn new(is_measured: bool) -> Self {
        let (shapes, loads, seconds) = match is_measured {
            true => (
                "1x1,1x1000,100x1,100x50,10000x1,10000x10",
                "dnsperf,1x1000,100x1,100x50",
                2.0,
            ),
            false => ("1x10,100x2", "10x2", 0.1),
        };
        let by_sockets = |server: &&Server| server.way == Way::Sockets;
        Self {
            parts: vec![Part::Shapes, Part::Peers, Part::Balance],
            shapes: list(shapes, Shape::named),
            servers: match is_measured {
                true => servers::ALL.iter().filter(by_sockets).collect(),
                false => vec![servers::named("ripples-socket")],
            },
            loads: list(loads, load),
            paths: vec![Path::Socket, Path::Passed, Path::Xdp],
            probe_rate: 1000,
            flood_rate: if is_measured { 1_000_000 } else { 1000 },
            fifo: false,
            rounds: if is_measured { 5 } else { 1 },
            window: Duration::from_secs_f64(seconds),
            kept: Kept::default(),
            ripples: Vec::new(),
            is_measured,
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "--parts" => self.parts = list(value, part),
            "--shapes" => self.shapes = list(value, Shape::named),
            "--servers" => self.servers = list(value, servers::named),
            "--loads" => self.loads = list(value, load),
            "--paths" => self.paths = list(value, path),
            "--probe-rate" => self.probe_rate = number(value).max(1),
            "--flood-rate" => self.flood_rate = number(value).max(1),
            "--rounds" => self.rounds = number(value).max(1) as usize,
            "--seconds" => self.window = seconds(value),
            _ => assert!(
                self.kept.set(name, value),
                "{name}: there is no such option"
            ),
        }
    }
}

impl Path {
    /// Its name in the options and the output.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Passed => "passed",
            Self::Xdp => "xdp",
        }
    }
}

fn part(text: &str) -> Part {
    match text {
        "shapes" => Part::Shapes,
        "peers" => Part::Peers,
        "balance" => Part::Balance,
        _ => panic!("{text:?} is none of shapes, peers, balance"),
    }
}

fn load(text: &str) -> PeerLoad {
    match text {
        "dnsperf" => PeerLoad::Dnsperf,
        shape => PeerLoad::Own(Shape::named(shape)),
    }
}

fn path(text: &str) -> Path {
    match text {
        "socket" => Path::Socket,
        "passed" => Path::Passed,
        "xdp" => Path::Xdp,
        _ => panic!("{text:?} is none of socket, passed, xdp"),
    }
}
