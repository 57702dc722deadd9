//! Which thread serves which port: a worker per queue or per CPU, and the siblings.

use super::workers::Workers;
use crate::config::Config;
use crate::idle::{Idle, PATIENCE_RINGS, PATIENCE_SOCKETS};
use crate::port::{SocketConfig, SocketPort, XskPort};
use crate::snapshot::Snapshot;
use crate::sys::cpu;
use crate::tcp::{self, Sibling, TcpCounters};
use crate::worker::Work;
use anyhow::Result;
use std::io;
use std::net::{SocketAddr, UdpSocket};
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
    /// Listening TCP sockets, several on an address where several siblings serve it.
    pub(super) tcp: Vec<(SocketAddr, OwnedFd)>,
}

/// Kernel sockets that are open, and that nobody serves yet.
pub(super) struct KernelSockets {
    /// Each address's UDP sockets.
    udp: Vec<(SocketAddr, Vec<SocketPort>)>,
    /// Each address's listening sockets.
    tcp: Vec<(SocketAddr, Vec<OwnedFd>)>,
}

/// Opens the kernel sockets, those that are `inherited` excepted.
pub(super) fn open(config: &Config, mut inherited: SharedSockets) -> Result<KernelSockets> {
    let (mut udp, mut tcp) = (Vec::new(), Vec::new());
    for &address in config.listen.iter().filter(|_| config.udp) {
        let ports = gather(
            take(&mut inherited.udp, address),
            |fd| Ok(SocketPort::adopt(fd, &socket(config, address, true))?),
            |shared| Ok(SocketPort::open(&socket(config, address, shared))?),
        );
        udp.push((address, ports?));
    }
    let backlog = config.tcp.backlog;
    for &address in config.listen.iter().filter(|_| config.tcp.enable) {
        let sockets = gather(
            take(&mut inherited.tcp, address),
            |fd| Ok(tcp::adopt(fd, address, backlog)?),
            |shared| Ok(tcp::listen(address, backlog, shared)?),
        );
        tcp.push((address, sockets?));
    }
    Ok(KernelSockets { udp, tcp })
}

/// The sockets of an address: those that are inherited, or one that others can be opened beside.
fn gather<S>(
    inherited: Vec<OwnedFd>,
    adopt: impl Fn(OwnedFd) -> Result<S>,
    open: impl Fn(bool) -> Result<S>,
) -> Result<Vec<S>> {
    if !inherited.is_empty() {
        return inherited.into_iter().map(adopt).collect();
    }
    // Sockets that workers share, another server would share as well, unnoticed.
    drop(open(false)?);
    Ok(vec![open(true)?])
}

/// Takes an address's sockets out.
fn take(sockets: &mut Vec<(SocketAddr, OwnedFd)>, address: SocketAddr) -> Vec<OwnedFd> {
    let ours = sockets.extract_if(.., |(local, _)| *local == address);
    ours.map(|(_, socket)| socket).collect()
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
    let mut shared = SharedSockets::default();
    // With AF_XDP the kernel sockets are for what XDP passes; without, they are all there is.
    let attached = !queues.is_empty();
    let workers_count = if attached {
        queues.len()
    } else {
        config.workers
    };
    let siblings = config
        .tcp
        .threads
        .map_or(workers_count, |count| count as usize);
    let threads = if attached { siblings } else { config.workers };
    let mut shares = deal(
        kernel.udp,
        threads,
        &mut shared.udp,
        |port| port.socket().try_clone_to_owned(),
        |address| Ok(SocketPort::open(&socket(config, address, true))?),
    )?;
    let spare = match attached {
        true => std::mem::take(&mut shares),
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
    let listening = deal(
        kernel.tcp,
        siblings,
        &mut shared.tcp,
        OwnedFd::try_clone,
        |address| Ok(tcp::listen(address, config.tcp.backlog, true)?),
    )?;
    let mut spare = spare.into_iter();
    let mut cpus = available("tcp.cpus", &config.tcp.cpus)?.into_iter().cycle();
    let options = config.tcp.for_each_of(siblings);
    for (number, sockets) in (0..).zip(listening) {
        let counters = Arc::new(TcpCounters::default());
        let tcp = Sibling::on(sockets, options.clone(), Arc::clone(&counters))?;
        let ports = spare.next().unwrap_or_default();
        let (cpu, vector_len) = (cpus.next(), config.vector_len);
        workers.spawn_sibling(number, cpu, vector_len, (tcp, counters), ports, snapshot)?;
    }
    if config.tcp.enable {
        paths.push(format!("TCP: kernel sockets, {siblings} threads"));
    }
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
        // One that comes back leaves the others' CPUs alone.
        let cpu = workers.cpu_before(&name).or_else(|| cpus.next());
        workers.spawn(name, cpu, vec![port], work, idle, snapshot)?;
    }
    Ok(())
}

/// Deals each address's sockets out to so many threads: at least one to each, and none is left out,
/// for what came to it would wait for ever. Each is noted in `shared` as well.
fn deal<S>(
    sockets: Vec<(SocketAddr, Vec<S>)>,
    threads: usize,
    shared: &mut Vec<(SocketAddr, OwnedFd)>,
    duplicate: impl Fn(&S) -> io::Result<OwnedFd>,
    open: impl Fn(SocketAddr) -> Result<S>,
) -> Result<Vec<Vec<S>>> {
    let mut shares: Vec<Vec<S>> = (0..threads).map(|_| Vec::new()).collect();
    for (address, mut ours) in sockets {
        // Where the kernel has chosen the port, all have the first one's. Whatever the protocol,
        // its address is asked for in the same way.
        let first = ours.first().map(&duplicate).transpose()?;
        let bound = first.map(|first| UdpSocket::from(first).local_addr());
        let bound = bound.transpose()?.unwrap_or(address);
        while ours.len() < threads {
            ours.push(open(bound)?);
        }
        for (at, socket) in ours.into_iter().enumerate() {
            shared.push((address, duplicate(&socket)?));
            shares[at % threads].push(socket);
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
    if config.cpus.is_empty() {
        return Ok(cpu::allowed()?);
    }
    available("--cpus", &config.cpus)
}

/// The CPUs that `option` lists, if this process may use them.
fn available(option: &str, cpus: &[usize]) -> Result<Vec<usize>> {
    let allowed = cpu::allowed()?;
    if let Some(cpu) = cpus.iter().find(|cpu| !allowed.contains(cpu)) {
        anyhow::bail!("{option}: CPU {cpu} is not available; this process may use {allowed:?}");
    }
    Ok(cpus.to_vec())
}
