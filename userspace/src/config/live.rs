//! Which options may change while the server runs.

use super::Config;

impl Config {
    /// The options that differ in `other` and that a running server cannot change.
    pub fn frozen_differences(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("interfaces", self.interfaces != other.interfaces),
            ("vlan", self.vlan != other.vlan),
            ("listen", self.listen != other.listen),
            ("io", self.io != other.io),
            ("idle", self.idle != other.idle),
            ("workers", self.workers != other.workers),
            ("cpus", self.cpus != other.cpus),
            ("vector_len", self.vector_len != other.vector_len),
            ("udp.enable", self.udp != other.udp),
            ("tcp", self.tcp != other.tcp),
            (
                "udp.verify_checksums",
                self.verify_checksums != other.verify_checksums,
            ),
            ("udp.next_hop", self.next_hop != other.next_hop),
            (
                "udp.receive_buffer",
                self.udp_receive_buffer != other.udp_receive_buffer,
            ),
            (
                "udp.send_buffer",
                self.udp_send_buffer != other.udp_send_buffer,
            ),
            ("http", self.http != other.http),
            ("zone_metrics", self.zone_metrics != other.zone_metrics),
            (
                "control",
                self.control != other.control || self.control_access != other.control_access,
            ),
            ("xdp_debug", self.xdp_debug != other.xdp_debug),
            ("watch", self.watch != other.watch),
            ("query_log", self.query_log != other.query_log),
            (
                "log (beside its filter)",
                self.log_output != other.log_output,
            ),
        ];
        let differing = differs.into_iter().filter(|&(_, differs)| differs);
        differing.map(|(option, _)| option).collect()
    }

    /// This configuration with whatever a running server may take over from `other`.
    pub fn thawed(&self, other: Self) -> Self {
        Self {
            answers: other.answers,
            udp_size_max: other.udp_size_max,
            log: other.log,
            zones: other.zones,
            zones_dir: other.zones_dir,
            geo: other.geo,
            guards: other.guards,
            health: other.health,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NextHopBy, RunArguments, Verify};

    fn config(words: &[&str]) -> Config {
        use clap::Parser;
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            arguments: RunArguments,
        }
        let line = Line::parse_from([&["run"], words].concat());
        Config::load(&line.arguments).unwrap()
    }

    #[test]
    fn what_cannot_change_stays_and_is_named() {
        let running = config(&["--listen", "127.0.0.1:5300"]);
        let other = config(&[
            "--listen",
            "127.0.0.1:5301",
            "--workers",
            "2",
            "--log",
            "debug",
        ]);
        assert_eq!(
            running.frozen_differences(&other),
            ["listen", "workers", "tcp"]
        );
        let thawed = running.thawed(other);
        assert_eq!((thawed.log.as_str(), thawed.workers), ("debug", 1));
        assert_eq!(thawed.listen, running.listen);
        assert!(running.frozen_differences(&thawed).is_empty());
        let mut other = thawed;
        other.vlan.insert("eth7".to_owned(), 5);
        other.verify_checksums = Verify::Off;
        other.next_hop = NextHopBy::Route;
        let differences = running.frozen_differences(&other);
        assert_eq!(
            differences,
            ["vlan", "udp.verify_checksums", "udp.next_hop"]
        );
        let thawed = running.thawed(other);
        assert!(running.frozen_differences(&thawed).is_empty());
    }
}
