//! Which thread serves which port: a worker per queue or per CPU, and the sibling.

use super::workers::Workers;
use crate::config::Config;
use crate::idle::{Idle, PATIENCE_RINGS, PATIENCE_SOCKETS};
use crate::port::{Port, SocketConfig, SocketPort, XskPort};
use crate::snapshot::Snapshot;
use crate::sys::cpu;
use crate::tcp::{Sibling, TcpCounters};
use crate::worker::Work;
use anyhow::Result;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Bytes of message that a frame of a kernel socket holds: the largest UDP reply, and more than any
/// sensible query.
const FRAME_SIZE: usize = 4096;

/// Kernel sockets by their addresses, as descriptors that other processes can have as well.
///
/// **Nothing is lost when a socket changes hands like this.** It is the very same socket: what is
/// queued in it, datagrams or connections, waits for whoever asks next, and is given to one only;
/// the kernel spreads the clients over the same sockets all the time. A second socket beside the
/// first, with SO_REUSEPORT, would lose what is queued in the first when that is closed.
#[derive(Default)]
pub(super) struct SharedSockets {
    /// UDP sockets, several on an address where several workers serve it.
    pub(super) udp: Vec<(SocketAddr, OwnedFd)>,
    /// Listening TCP sockets.
    pub(super) tcp: Vec<(SocketAddr, OwnedFd)>,
}

/// Kernel sockets that are open, and that nobody serves yet.
pub(super) struct KernelSockets {
    /// Each address's UDP sockets.
    udp: Vec<(SocketAddr, Vec<SocketPort>)>,
    tcp: Sibling,
}

/// Opens the kernel sockets, those that are `inherited` excepted.
pub(super) fn open(
    config: &Config,
    inherited: SharedSockets,
    counters: &Arc<TcpCounters>,
) -> Result<KernelSockets> {
    let mut sockets = inherited.udp;
    let mut udp = Vec::new();
    for &address in config.listen.iter().filter(|_| config.udp) {
        let (ours, others) = sockets
            .into_iter()
            .partition(|(local, _)| *local == address);
        sockets = others;
        let ours: Vec<(SocketAddr, OwnedFd)> = ours;
        if ours.is_empty() {
            // Sockets that workers share, another server would share as well, unnoticed.
            drop(SocketPort::open(&socket(config, address, false))?);
        }
        let adopt = |(_, fd)| SocketPort::adopt(fd, &socket(config, address, true));
        let mut ports = ours.into_iter().map(adopt).collect::<Result<Vec<_>, _>>()?;
        if ports.is_empty() {
            ports.push(SocketPort::open(&socket(config, address, true))?);
        }
        udp.push((address, ports));
    }
    let tcp = Sibling::inheriting(config.tcp.clone(), Arc::clone(counters), inherited.tcp)?;
    Ok(KernelSockets { udp, tcp })
}

/// Starts all threads that answer. Returns the kernel sockets, for a server that is to replace
/// this one.
pub(super) fn start(
    config: &Config,
    queues: Vec<(String, XskPort)>,
    kernel: KernelSockets,
    snapshot: &Arc<Snapshot>,
    workers: &mut Workers,
    paths: &mut Vec<String>,
) -> Result<SharedSockets> {
    let mut cpus = cpus(config)?.into_iter().cycle();
    let mut shared = SharedSockets {
        udp: Vec::new(),
        tcp: kernel.tcp.listeners()?,
    };
    // With AF_XDP the kernel sockets are for what XDP passes; without, they are all there is.
    let attached = !queues.is_empty();
    let threads = if attached { 1 } else { config.workers };
    let mut shares = spread(config, kernel.udp, threads, &mut shared)?.into_iter();
    let spare = match attached {
        true => shares.next().unwrap_or_default(),
        false => Vec::new(),
    };
    if !attached && config.udp {
        for (number, ports) in (0..).zip(shares) {
            workers.spawn(
                format!("socket/{number}"),
                cpus.next(),
                ports,
                Work::answer(config.vector_len),
                Idle::new(config.idle, PATIENCE_SOCKETS),
                snapshot,
            )?;
        }
        paths.push(format!("UDP: kernel sockets, {} workers", config.workers));
    }
    start_queues(config, queues, snapshot, workers)?;
    workers.spawn_sibling(config, kernel.tcp, spare, snapshot)?;
    Ok(shared)
}

/// Starts a worker for each AF_XDP queue.
pub(super) fn start_queues(
    config: &Config,
    queues: Vec<(String, XskPort)>,
    snapshot: &Arc<Snapshot>,
    workers: &mut Workers,
) -> Result<()> {
    let mut cpus = cpus(config)?.into_iter().cycle();
    for (name, port) in queues {
        let idle = Idle::new(config.idle, PATIENCE_RINGS);
        let work = match config.reflect {
            true => Work::reflect(config.vector_len),
            false => Work::answer(config.vector_len),
        };
        workers.spawn(name, cpus.next(), vec![port], work, idle, snapshot)?;
    }
    Ok(())
}

/// Deals each address's sockets out to so many threads: at least one to each, and none is left out,
/// for what came to it would wait for ever.
fn spread(
    config: &Config,
    udp: Vec<(SocketAddr, Vec<SocketPort>)>,
    threads: usize,
    shared: &mut SharedSockets,
) -> Result<Vec<Vec<SocketPort>>> {
    let mut shares: Vec<Vec<SocketPort>> = (0..threads).map(|_| Vec::new()).collect();
    for (address, mut ports) in udp {
        while ports.len() < threads {
            ports.push(SocketPort::open(&socket(config, address, true))?);
        }
        for (at, port) in ports.into_iter().enumerate() {
            if let Some(fd) = port.fd() {
                shared.udp.push((address, fd.try_clone_to_owned()?));
            }
            shares[at % threads].push(port);
        }
    }
    Ok(shares)
}

/// A UDP socket on an address; `shared`: another may be opened on it.
fn socket(config: &Config, address: SocketAddr, shared: bool) -> SocketConfig {
    SocketConfig {
        address,
        receive_buffer: config.udp_receive_buffer,
        send_buffer: config.udp_send_buffer,
        frame_size: FRAME_SIZE,
        shared,
    }
}

/// The CPUs that workers are pinned to.
fn cpus(config: &Config) -> Result<Vec<usize>> {
    let allowed = cpu::allowed()?;
    if config.cpus.is_empty() {
        return Ok(allowed);
    }
    for &cpu in &config.cpus {
        if !allowed.contains(&cpu) {
            anyhow::bail!("--cpus: CPU {cpu} is not available; this process may use {allowed:?}");
        }
    }
    Ok(config.cpus.clone())
}
