//! What is measured: `--rates 1000,50000 --modes spin --napi softirq --seconds 3 --rounds 3`.

use crate::place::Role;
use std::time::Duration;
use tests::napi::Napi;

/// The grid, and how often it is gone through.
pub(crate) struct Options {
    /// Queries a second; 0: what an idle server costs.
    pub(crate) rates: Vec<u32>,
    /// Values of `--idle`.
    pub(crate) modes: Vec<String>,
    /// Who drives the receive side.
    pub(crate) napi: Vec<Napi>,
    /// How long each point is measured.
    pub(crate) duration: Duration,
    /// How often the grid is gone through.
    pub(crate) rounds: usize,
    /// Whether client, server and NAPI threads go before all else that the machine has to do.
    pub(crate) fifo: bool,
    /// More arguments for the server.
    pub(crate) server: Vec<String>,
}

impl Options {
    /// Reads the command line; `measured` is false where this is only to be seen to work.
    pub(crate) fn read(arguments: &[String], measured: bool) -> Self {
        let [rates, rounds, duration] = if measured {
            ["0,1000,10000,50000,100000", "3", "3"]
        } else {
            ["1000", "1", "0.05"]
        };
        let mut options = Self {
            rates: list(rates, number),
            modes: list("spin,adaptive,slowdown", str::to_owned),
            napi: list("softirq,threaded", Napi::named),
            duration: seconds(duration),
            rounds: number(rounds) as usize,
            fifo: false,
            server: Vec::new(),
        };
        let (words, server) = match arguments.iter().position(|word| word == "--") {
            Some(at) => (&arguments[..at], &arguments[at + 1..]),
            None => (arguments, &[][..]),
        };
        options.server = server.to_vec();
        let mut words = words.iter();
        while let Some(name) = words.next() {
            if name == "--fifo" {
                options.fifo = true;
                continue;
            }
            let value = words.next();
            let value = value.unwrap_or_else(|| panic!("{name}: the value is missing"));
            match name.as_str() {
                "--rates" => options.rates = list(value, number),
                "--modes" => options.modes = list(value, str::to_owned),
                "--napi" => options.napi = list(value, Napi::named),
                "--seconds" => options.duration = seconds(value),
                "--rounds" => options.rounds = number(value).max(1) as usize,
                _ => panic!(
                    "{name}: there are --rates, --modes, --napi, --seconds, --rounds, --fifo"
                ),
            }
        }
        options
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

impl Role {
    /// Both, the one to be measured first.
    pub(crate) const ALL: [Self; 2] = [Self::Server, Self::Echo];

    /// Its name in the output.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Server => "ripples",
            Self::Echo => "echo",
        }
    }
}
