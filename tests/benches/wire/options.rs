//! What is measured, read from the words that `cargo xtask bench wire` hands over.

use std::time::Duration;
use tests::napi::Napi;
use tests::wire::kept::Kept;
use tests::wire::servers::{self, Server};
use tests::wire::worlds::{Mix, Size};
use tests::words::{Words, list, number, seconds, value};

/// The grid, how often it is gone through, and where the results go.
#[derive(Debug)]
pub(crate) struct Options {
    /// What is compared, in this order.
    pub(crate) servers: Vec<&'static Server>,
    /// What is served.
    pub(crate) worlds: Vec<Size>,
    /// What is asked.
    pub(crate) mixes: Vec<Mix>,
    /// Queries a second that kxdpgun offers, ascending; a server leaves where it is overwhelmed.
    pub(crate) rates: Vec<u32>,
    /// Steps by which the highest rate without loss is closed in upon.
    pub(crate) steps: u32,
    /// Whether kxdpgun asks.
    pub(crate) kxdpgun: bool,
    /// Whether dnsperf asks.
    pub(crate) dnsperf: bool,
    /// Whether latency at low load is measured.
    pub(crate) latency: bool,
    /// How often the grid is gone through.
    pub(crate) rounds: usize,
    /// How long each point is measured.
    pub(crate) window: Duration,
    /// Who drives the receive side.
    pub(crate) napi: Napi,
    /// What is done with the points.
    pub(crate) kept: Kept,
    /// More arguments for Ripples.
    pub(crate) ripples: Vec<String>,
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
                flag if options.kept.flag(flag) => {}
                _ => {
                    let value = value(name, &mut words);
                    options.set(name, value);
                }
            }
        }
        options
    }

    fn new(measured: bool) -> Self {
        let (servers, rates, window) = match measured {
            true => (
                servers::ALL.iter().collect(),
                "50000,100000,200000,300000,400000",
                1.0,
            ),
            false => (vec![servers::named("ripples-xdp")], "10000", 0.1),
        };
        Self {
            servers,
            worlds: if measured {
                Size::ALL.to_vec()
            } else {
                vec![Size::Small]
            },
            mixes: Mix::ALL.to_vec(),
            rates: list(rates, number),
            steps: if measured { 4 } else { 0 },
            kxdpgun: measured,
            dnsperf: measured,
            latency: true,
            rounds: if measured { 3 } else { 1 },
            window: Duration::from_secs_f64(window),
            napi: Napi::Threaded,
            kept: Kept::default(),
            ripples: Vec::new(),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "--servers" => self.servers = list(value, servers::named),
            "--worlds" => self.worlds = list(value, world),
            "--mixes" => self.mixes = list(value, mix),
            "--rates" => {
                self.rates = list(value, number);
                self.rates.sort_unstable();
            }
            "--steps" => self.steps = number(value),
            "--generators" => {
                let generators = list(value, str::to_owned);
                let has = |name: &str| generators.iter().any(|generator| generator == name);
                self.kxdpgun = has("kxdpgun");
                self.dnsperf = has("dnsperf");
                self.latency = has("latency");
            }
            "--rounds" => self.rounds = number(value).max(1) as usize,
            "--seconds" => self.window = seconds(value),
            "--napi" => self.napi = Napi::named(value),
            _ => assert!(
                self.kept.set(name, value),
                "{name}: there is no such option"
            ),
        }
    }
}

fn world(text: &str) -> Size {
    let found = Size::ALL.into_iter().find(|size| size.label() == text);
    found.unwrap_or_else(|| panic!("{text:?} is none of small, big, many"))
}

fn mix(text: &str) -> Mix {
    let found = Mix::ALL.into_iter().find(|mix| mix.word() == text);
    found.unwrap_or_else(|| panic!("{text:?} is neither existing nor missing"))
}
