//! Echoes UDP over AF_XDP on every queue of an interface, until SIGTERM: to be measured, or killed.
//!
//! `port_echo INTERFACE native|generic poll|spin [GROW]`
#![expect(
    clippy::print_stdout,
    reason = "what it prints is read by tests and by people"
)]

use anyhow::{Context, Result, bail};
use ripples::port::{BindMode, Port, XskConfig, XskPort};
use ripples::sys::interface::Interface;
use ripples::sys::signals::Signals;
use ripples::sys::{cpu, memory, wait, waker::Waker};
use ripples::telemetry::{Counters, Discard, Event};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::echo::Echo;
use tests::redirect::{Attach, Redirect};

static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, attach, spin) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, "native", how, ..] => (name, Attach::Native, how == "spin"),
        [name, "generic", how, ..] => (name, Attach::Generic, how == "spin"),
        _ => bail!("port_echo INTERFACE native|generic poll|spin [GROW]"),
    };
    let grow = arguments.get(3).map_or(Ok(0), |text| text.parse())?;
    let signals = Signals::block()?;
    memory::raise_lock_limit()?;
    let interface = Interface::find(name)?;
    let redirect = Redirect::attach(interface.index, attach).context("cannot attach")?;
    let mut workers = Vec::new();
    for queue in 0..interface.rx_queues {
        let port = XskPort::open(&XskConfig::new(name, queue, BindMode::Copy))?;
        redirect
            .connect(queue, port.socket())
            .context("cannot fill the XSKMAP")?;
        let waker = Waker::new()?;
        let sleeper = waker.clone();
        let worker = std::thread::spawn(move || work(port, queue as usize, spin, grow, &sleeper));
        workers.push((waker, worker));
    }
    println!("ready: {} queues", interface.rx_queues);
    while signals.next()?.is_none() {
        wait::readable([signals.as_fd()], None)?;
    }
    STOP.store(true, Ordering::Relaxed);
    for (waker, worker) in workers {
        waker.wake()?;
        match worker.join() {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    Ok(())
}

/// Echoes on one port until told to stop, then says what it counted.
fn work(mut port: XskPort, queue: usize, spin: bool, grow: usize, sleeper: &Waker) -> Result<()> {
    let cpus = cpu::allowed()?;
    cpu::pin(cpus[queue % cpus.len()])?;
    let mut echo = Echo::default();
    while !STOP.load(Ordering::Relaxed) {
        if echo.turn(&mut port, grow) == 0 && !spin && !port.backlog() {
            let fd = port.fd().context("an AF_XDP port has a descriptor")?;
            wait::readable([fd, sleeper.as_fd()], Some(Duration::from_secs(1)))?;
        }
    }
    let counters = Counters::default();
    counters.publish(&mut echo.tally);
    let totals = counters.totals();
    let events: Vec<_> = Event::ALL
        .iter()
        .map(|&e| (e.label(), totals.events(e)))
        .collect();
    let discards = Discard::ALL
        .iter()
        .map(|&d| (d.label(), totals.discards(d)));
    let discards: Vec<_> = discards.filter(|(_, count)| *count > 0).collect();
    println!(
        "queue {queue}: {events:?} {discards:?} {:?} {:?}",
        port.census(),
        port.statistics()?
    );
    Ok(())
}
