//! What the system lets this process have, and whether that is enough.

use crate::sys::descriptor_limit;
use crate::tcp::TcpConfig;

/// Descriptors that are for all else: sockets, queues, files, 256 checks at a time.
const BESIDE_CONNECTIONS: u64 = 512;

/// Lets the process have as many descriptors as it may; returns how many.
pub(super) fn raise_descriptors() -> Option<u64> {
    descriptor_limit::raise()
        .inspect_err(|error| tracing::warn!(%error, "RLIMIT_NOFILE stays as it is"))
        .ok()
}

/// Says so when these are too few.
pub(super) fn check_descriptors(config: &TcpConfig, limit: Option<u64>) {
    if let Some(shortage) = limit.and_then(|limit| shortage(config, limit)) {
        tracing::warn!("{shortage}");
    }
}

/// What is wrong with `limit`, if anything is.
fn shortage(config: &TcpConfig, limit: u64) -> Option<String> {
    let connections = u64::from(config.connections_max);
    let needed = connections + BESIDE_CONNECTIONS;
    (config.enable && needed > limit).then(|| {
        format!(
            "tcp.connections_max = {connections} needs {needed} file descriptors, and this process \
             may have {limit}: raise its hard limit (LimitNOFILE=, ulimit -Hn), or lower \
             tcp.connections_max"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_descriptors_are_told_with_both_numbers() {
        let config = TcpConfig {
            connections_max: 1000,
            ..TcpConfig::default()
        };
        let said = shortage(&config, 1511).unwrap();
        assert!(
            said.contains("needs 1512") && said.contains("may have 1511"),
            "{said}"
        );
        assert_eq!(shortage(&config, 1512), None);
        let without_tcp = TcpConfig {
            enable: false,
            ..config
        };
        assert_eq!(shortage(&without_tcp, 64), None);
    }
}
