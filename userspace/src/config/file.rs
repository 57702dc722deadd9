//! The TOML file as it is written.

use super::answers::{ChaosOptions, CookieOptions, Edns};
use super::control::{self, ControlTable};
use super::geo::{self, Geo};
use super::guards::{Access, RateLimit};
use super::health::{self, Health};
use super::idle::Steps;
use super::log::{self, LogOptions};
use super::query_log::{self, QueryLog};
use super::{ConfigError, Idle, Io, NextHopBy, Verify, VlanTags};
use crate::tcp::TcpConfig;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Every option of the file. An unknown one is an error: it would be a silent one otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) interfaces: Vec<String>,
    #[serde(default)]
    pub(super) vlan: VlanTags,
    #[serde(default)]
    pub(super) listen: Vec<String>,
    pub(super) io: Option<Io>,
    pub(super) idle: Option<Idle>,
    pub(super) slowdown_us: Option<Steps>,
    pub(super) workers: Option<usize>,
    #[serde(default)]
    pub(super) cpus: Vec<usize>,
    pub(super) vector_len: Option<usize>,
    #[serde(default, deserialize_with = "control::path_or_table")]
    pub(super) control: ControlTable,
    pub(super) http: Option<SocketAddr>,
    pub(super) zone_metrics: Option<usize>,
    pub(super) xdp_debug: Option<bool>,
    #[serde(default, deserialize_with = "log::filter_or_table")]
    pub(super) log: LogOptions,
    pub(super) zones_dir: Option<PathBuf>,
    pub(super) watch: Option<bool>,
    #[serde(default)]
    pub(super) udp: Udp,
    #[serde(default)]
    pub(super) tcp: TcpConfig,
    #[serde(default)]
    pub(super) edns: Edns,
    #[serde(default)]
    pub(super) cookies: CookieOptions,
    #[serde(default)]
    pub(super) chaos: ChaosOptions,
    #[serde(default)]
    pub(super) zone: Vec<Zone>,
    #[serde(default)]
    pub(super) geo: Geo,
    #[serde(default)]
    pub(super) access: Access,
    #[serde(default)]
    pub(super) rate_limit: RateLimit,
    #[serde(default)]
    pub(super) health: Health,
    #[serde(default)]
    pub(super) query_log: Vec<QueryLog>,
    pub(super) query_log_buffer_size: Option<usize>,
}

/// `[udp]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Udp {
    pub(super) enable: Option<bool>,
    pub(super) size_max: Option<usize>,
    #[serde(default)]
    pub(super) verify_checksums: Verify,
    #[serde(default)]
    pub(super) next_hop: NextHopBy,
    pub(super) receive_buffer: Option<usize>,
    pub(super) send_buffer: Option<usize>,
}

/// `[[zone]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zone {
    pub(super) origin: String,
    pub(super) file: PathBuf,
}

impl File {
    /// Reads the file at `path`. Relative paths in it start at the folder that it is in.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let mut file = Self::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for zone in &mut file.zone {
            zone.file = folder.join(&zone.file);
        }
        file.zones_dir = file.zones_dir.map(|zones| folder.join(zones));
        log::resolve(&mut file.log, folder);
        geo::resolve(&mut file.geo, folder);
        health::resolve(&mut file.health, folder);
        query_log::resolve(&mut file.query_log, folder);
        Ok(file)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .map_or(0, |rest| rest.chars().count())
                + 1;
            let message = error.message();
            ConfigError::Syntax(format!("{}:{line}:{column}: {message}", path.display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_line_and_column() {
        let parse = |text| {
            File::parse(text, Path::new("r.toml"))
                .unwrap_err()
                .to_string()
        };
        assert!(parse("io = \"xdp\"\nworkers = \"two\"\n").starts_with("r.toml:2:11: "));
        assert!(parse("io = \"xdp\"\n  wrokers = 2\n").starts_with("r.toml:2:3: unknown field"));
        assert!(parse("[[zone]]\norigin = \"x\"\n").starts_with("r.toml:1:1: missing field"));
        assert!(parse("io = \n").starts_with("r.toml:1:6: "));
        assert!(parse("io = \"sockets\"").contains("socket"));
        assert!(parse("[log]\n fiel = \"x\"\n").starts_with("r.toml:2:2: unknown field"));
        assert!(parse("[log]\nformat = \"xml\"\n").starts_with("r.toml:2:10: unknown variant"));
        assert!(parse("log = 7\n").contains("a filter, as in \"info\", or the table [log]"));
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            interfaces = ["eth9"]
            listen = ["192.0.2.1:53"]
            io = "auto"
            idle = "slowdown"
            slowdown_us = [1, 20, 1000]
            workers = 2
            cpus = [1, 2]
            vector_len = 32
            control = "none"
            log = "debug"
            zones_dir = "zones"
            watch = false
            [udp]
            size_max = 1400
            [tcp]
            enable = false
            keepalive_ms = 5000
            [edns]
            nsid = "fra1"
            client_subnet = false
            client_subnet_from = ["192.0.2.0/24"]
            extended_errors = false
            [cookies]
            policy = "require"
            secrets = ["e5e973e5a6b2a43f48e7dc849e37bfcf"]
            [chaos]
            version = "1"
            hostname = "ns1.example"
            id = "fra1"
            [geo]
            weighted = "random"
            [[zone]]
            origin = "example.com"
            file = "example.com.zone"
        "#;
        let file = File::parse(text, Path::new("r.toml")).unwrap();
        assert_eq!((file.workers, file.udp.size_max), (Some(2), Some(1400)));
        assert_eq!(
            (file.tcp.enable, file.tcp.keepalive_ms, file.tcp.backlog),
            (false, 5000, 1024)
        );
        assert_eq!(file.zone.len(), 1);
    }
}
