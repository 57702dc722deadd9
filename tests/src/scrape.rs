//! What a server tells at `/metrics`, asked as collectors do.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Samples at one moment.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The values, by names and labels as they are written.
    samples: BTreeMap<String, f64>,
    /// What kind each family is of.
    kinds: BTreeMap<String, String>,
}

impl Scrape {
    /// Asks at an address.
    pub fn of(http: SocketAddr) -> Self {
        let (head, body) = request(http, "GET /metrics HTTP/1.1");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Self::read(&body)
    }

    /// Reads the text.
    pub fn read(body: &str) -> Self {
        let mut scrape = Self {
            samples: BTreeMap::new(),
            kinds: BTreeMap::new(),
        };
        for line in body.lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a kind");
                scrape.kinds.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').expect("a value");
                let value = value.parse().expect("a number");
                let earlier = scrape.samples.insert(name.to_owned(), value);
                assert_eq!(earlier, None, "{name} is told twice");
            }
        }
        scrape
    }

    /// A sample, by its name and labels as they are written.
    pub fn sample(&self, name: &str) -> Option<f64> {
        self.samples.get(name).copied()
    }

    /// The sum of a name's samples with these labels, as `worker="eth0/0"`.
    pub fn sum(&self, name: &str, labels: &str) -> f64 {
        let ours = self.samples.iter().filter(|(sample, _)| {
            let (own, rest) = sample.split_once('{').unwrap_or((sample, ""));
            own == name && rest.contains(labels)
        });
        ours.map(|(_, value)| value).sum()
    }

    /// The values that a label has.
    pub fn values(&self, label: &str) -> Vec<&str> {
        let begin = format!("{label}=\"");
        let values = self.samples.keys().filter_map(|sample| {
            let (_, rest) = sample.split_once(&begin)?;
            rest.split('"').next()
        });
        let mut values: Vec<&str> = values.collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The names that samples have, without labels.
    pub fn names(&self) -> Vec<&str> {
        let names = self
            .samples
            .keys()
            .filter_map(|name| name.split('{').next());
        let mut names: Vec<&str> = names.collect();
        names.dedup();
        names
    }

    /// The names of all families, also of those without samples.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// Fails where something that was counted `before` is not told any more, or is less now.
    pub fn assert_nothing_forgotten(&self, before: &Self) {
        let gauges = |name: &str| self.kind(name) == Some("gauge");
        for (sample, &value) in &before.samples {
            let name = sample.split('{').next().unwrap_or(sample);
            let now = self.sample(sample);
            let is_kept = now.is_some_and(|now| now >= value);
            assert!(is_kept || gauges(name), "{sample}: {value}, then {now:?}");
        }
    }

    /// What kind a family is of.
    pub fn kind(&self, family: &str) -> Option<&str> {
        self.kinds.get(family).map(String::as_str)
    }

    /// Fails unless, for each worker, what was answered and what was not is what was received, and
    /// the histograms are of it.
    pub fn assert_workers_add_up(&self) {
        for worker in self.values("worker") {
            let of = |name: &str| self.sum(&format!("ripples_{name}"), &format!("\"{worker}\""));
            let received = of("received_total");
            let told = of("replies_total") + of("discards_total");
            assert_eq!(received, told, "{worker}: {self}");
            let replies = of("replies_total");
            assert_eq!(of("queries_total"), replies, "by type, {worker}: {self}");
            assert_eq!(received, of("vector_frames_sum"), "{worker}: {self}");
            let turns = of("turns_total");
            assert_eq!(turns, of("vector_frames_count"), "{worker}: {self}");
            // The first turn that has frames is timed.
            for name in ["server_seconds_count", "server_seconds_sum"] {
                assert_eq!(of(name) > 0.0, received > 0.0, "{name}, {worker}: {self}");
            }
        }
    }
}

impl fmt::Display for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.samples.iter().filter(|(_, value)| **value != 0.0);
        told.try_for_each(|(name, value)| writeln!(f, "{name} {value}"))
    }
}

/// Header and body of the response to a request.
pub fn request(http: SocketAddr, head: &str) -> (String, String) {
    let mut stream = TcpStream::connect(http).expect("it listens");
    let text = format!("{head}\r\nHost: ripples\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers");
    let (head, body) = response.split_once("\r\n\r\n").expect("a header");
    (head.to_owned(), body.to_owned())
}
