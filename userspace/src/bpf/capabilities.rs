//! What the kernel asks of a process that loads and attaches an XDP program.

use std::fs;

/// The capabilities that the calling thread lacks.
pub(super) fn missing() -> Vec<&'static str> {
    lacking(held())
}

/// The capabilities that the calling thread lacks to serve an interface: to attach, to open AF_XDP
/// sockets, and to lock their memory.
pub fn missing_to_serve() -> Vec<&'static str> {
    lacking_to_serve(held())
}

/// See [`missing_to_serve`]; what the administrator of everything may do to bpf(2) does not help
/// sockets.
fn lacking_to_serve(set: u64) -> Vec<&'static str> {
    let mut lacks = lacking(set);
    let sockets = SOCKETS.iter().filter(|(number, _)| set >> number & 1 == 0);
    lacks.extend(sockets.map(|(_, name)| *name));
    lacks
}

/// The needed capabilities that are not in a set.
fn lacking(set: u64) -> Vec<&'static str> {
    let has = |number: u32| set >> number & 1 == 1;
    // To bpf(2) the administrator of everything has all of them.
    if has(CAP_SYS_ADMIN) {
        return Vec::new();
    }
    let lacks = NEEDED.iter().filter(|(number, _)| !has(*number));
    lacks.map(|(_, name)| *name).collect()
}

/// The calling thread's effective set; empty where the kernel does not say.
fn held() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    effective(&status).unwrap_or_default()
}

/// The effective set, as proc(5) shows it.
fn effective(status: &str) -> Option<u64> {
    let set = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(set.trim(), 16).ok()
}

/// Capabilities by number (include/uapi/linux/capability.h). Without `CAP_PERFMON` the verifier
/// also follows where a CPU may go on speculation, and gives up.
const NEEDED: [(u32, &str); 3] = [(12, "CAP_NET_ADMIN"), (38, "CAP_PERFMON"), (39, "CAP_BPF")];
const CAP_SYS_ADMIN: u32 = 21;
/// For AF_XDP sockets, and for memory beyond RLIMIT_MEMLOCK.
const SOCKETS: [(u32, &str); 2] = [(13, "CAP_NET_RAW"), (14, "CAP_IPC_LOCK")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_lacks_nothing_and_nobody_everything() {
        assert!(lacking(0x1ff_ffff_ffff).is_empty());
        assert_eq!(lacking(0), ["CAP_NET_ADMIN", "CAP_PERFMON", "CAP_BPF"]);
    }

    #[test]
    fn the_administrator_of_everything_need_not_have_the_parts() {
        assert!(lacking(1 << 21).is_empty());
    }

    #[test]
    fn to_serve_sockets_and_their_memory_are_needed_as_well() {
        assert!(lacking_to_serve(0x1ff_ffff_ffff).is_empty());
        assert_eq!(
            lacking_to_serve(1 << 21 | 1 << 13),
            ["CAP_IPC_LOCK"],
            "the administrator of everything may not lock without limit"
        );
        assert_eq!(lacking_to_serve(0).len(), 5);
    }

    #[test]
    fn the_one_that_is_missing_is_named() {
        assert_eq!(lacking(1 << 39 | 1 << 12), ["CAP_PERFMON"]);
    }

    #[test]
    fn the_effective_set_is_read_from_proc() {
        let status = "CapPrm:\t0000000000000000\nCapEff:\t000000c000001000\nCapBnd:\t0\n";
        assert_eq!(effective(status), Some(1 << 39 | 1 << 38 | 1 << 12));
    }
}
