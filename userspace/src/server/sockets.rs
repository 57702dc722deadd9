//! Which thread serves which port: a worker per queue or per CPU, and the sibling.

use super::workers::Workers;
use crate::config::Config;
use crate::idle::{Idle, PATIENCE_RINGS, PATIENCE_SOCKETS};
use crate::port::{SocketConfig, SocketPort, XskPort};
use crate::snapshot::Snapshot;
use crate::sys::cpu;
use crate::tcp::Sibling;
use crate::worker::Work;
use anyhow::Result;
use std::sync::Arc;

/// Bytes of message that a frame of a kernel socket holds: the largest UDP reply, and more than any
/// sensible query.
const FRAME_SIZE: usize = 4096;

/// Starts all threads that answer.
pub(super) fn start(
    config: &Config,
    queues: Vec<(String, XskPort)>,
    snapshot: &Arc<Snapshot>,
    workers: &mut Workers,
    paths: &mut Vec<String>,
) -> Result<()> {
    // Sockets that workers share, another server would share as well, unnoticed.
    drop(udp(config, false)?);
    let cpus = cpus(config)?;
    let mut cpus = cpus.into_iter().cycle();
    // With AF_XDP the kernel sockets are for what XDP passes; without, they are all there is.
    let attached = !queues.is_empty();
    let spare = if attached {
        udp(config, true)?
    } else {
        Vec::new()
    };
    let tcp = Sibling::new(config.tcp.clone(), Arc::clone(&workers.tcp))?;
    if !attached && config.udp {
        for number in 0..config.workers {
            let ports = udp(config, true)?;
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
    for (name, port) in queues {
        let idle = Idle::new(config.idle, PATIENCE_RINGS);
        let work = match config.reflect {
            true => Work::reflect(config.vector_len),
            false => Work::answer(config.vector_len),
        };
        workers.spawn(name, cpus.next(), vec![port], work, idle, snapshot)?;
    }
    workers.spawn_sibling(config, tcp, spare, snapshot)
}

/// A UDP socket on each address; `shared`: another may be opened on it.
fn udp(config: &Config, shared: bool) -> Result<Vec<SocketPort>> {
    if !config.udp {
        return Ok(Vec::new());
    }
    let open = |&address| {
        SocketPort::open(&SocketConfig {
            address,
            receive_buffer: config.udp_receive_buffer,
            send_buffer: config.udp_send_buffer,
            frame_size: FRAME_SIZE,
            shared,
        })
    };
    Ok(config.listen.iter().map(open).collect::<Result<_, _>>()?)
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
