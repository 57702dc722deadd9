//! What is measured, read from the words that `cargo xtask bench wire` hands over.

use crate::servers::{self, Server};
use crate::worlds::{Mix, Size};
use std::path::PathBuf;
use std::time::Duration;
use tests::napi::Napi;

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
    /// Print JSON lines instead of a table.
    pub(crate) json: bool,
    /// Where the points are kept.
    pub(crate) save: Option<PathBuf>,
    /// Keep what the file has.
    pub(crate) append: bool,
    /// A word about the circumstances.
    pub(crate) note: Option<String>,
    /// Show what the file has and measure nothing.
    pub(crate) show: Option<PathBuf>,
    /// More arguments for Ripples.
    pub(crate) ripples: Vec<String>,
}

impl Options {
    /// Reads the command line; `measured` is false where this is only to be seen to work.
    ///
    /// # Panics
    /// With what is wrong.
    pub(crate) fn read(arguments: &[String], measured: bool) -> Self {
        let mut options = Self::new(measured);
        let (words, ripples) = match arguments.iter().position(|word| word == "--") {
            Some(at) => (&arguments[..at], &arguments[at + 1..]),
            None => (arguments, &[][..]),
        };
        options.ripples = ripples.to_vec();
        let mut words = words.iter();
        while let Some(name) = words.next() {
            match name.as_str() {
                "--json" => options.json = true,
                "--append" => options.append = true,
                _ => {
                    let value = words.next();
                    let value = value.unwrap_or_else(|| panic!("{name}: the value is missing"));
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
            json: false,
            save: None,
            append: false,
            note: None,
            show: None,
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
            "--save" => self.save = Some(value.into()),
            "--show" => self.show = Some(value.into()),
            "--note" => self.note = Some(value.to_owned()),
            _ => panic!("{name}: there is no such option"),
        }
    }
}

/// The parts between commas.
fn list<T>(text: &str, part: impl Fn(&str) -> T) -> Vec<T> {
    text.split(',').map(part).collect()
}

fn number(text: &str) -> u32 {
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn seconds(text: &str) -> Duration {
    let seconds = text.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.unwrap_or_else(|| panic!("{text:?} is no number of seconds"))
}

fn world(text: &str) -> Size {
    let found = Size::ALL.into_iter().find(|size| size.label() == text);
    found.unwrap_or_else(|| panic!("{text:?} is none of small, big, many"))
}

fn mix(text: &str) -> Mix {
    let found = Mix::ALL.into_iter().find(|mix| mix.word() == text);
    found.unwrap_or_else(|| panic!("{text:?} is neither existing nor missing"))
}
