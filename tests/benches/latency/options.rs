//! What is measured: `--rates 1000,50000 --modes spin --napi softirq --seconds 3 --rounds 3`.

use crate::place::Role;
use std::time::Duration;
use tests::napi::Napi;
use tests::words::{Words, list, number, seconds, value};

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
    /// Reads the command line.
    pub(crate) fn read(words: &Words) -> Self {
        let [rates, rounds, duration] = if words.measured {
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
        options.server.clone_from(&words.server);
        let mut words = words.options.iter();
        while let Some(name) = words.next() {
            if name == "--fifo" {
                options.fifo = true;
                continue;
            }
            let value = value(name, &mut words);
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
