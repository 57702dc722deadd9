//! Echoes UDP on every queue of an interface until SIGTERM: to be measured, or killed.
//!
//! `port_echo INTERFACE native|generic|socket poll|spin [GROW]`
#![expect(
    clippy::print_stdout,
    reason = "what it prints is read by tests and by people"
)]

use anyhow::{Context, Result, bail};
use ripples::port::{BindMode, Port, SocketConfig, SocketPort, XskConfig, XskPort};
use ripples::sys::interface::Interface;
use ripples::sys::signals::Signals;
use ripples::sys::{cpu, memory, wait, waker::Waker};
use ripples::telemetry::{Counters, Discard, Event};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tests::echo::Echo;
use tests::redirect::{Attach, Redirect};

static STOP: AtomicBool = AtomicBool::new(false);

/// How the workers run.
#[derive(Clone, Copy)]
struct Options {
    /// Never sleep.
    spin: bool,
    /// Bytes to add to each message.
    grow: usize,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [interface, io, idle, rest @ ..] = &arguments[..] else {
        bail!("port_echo INTERFACE native|generic|socket poll|spin [GROW]");
    };
    let options = Options {
        spin: idle == "spin",
        grow: rest.first().map_or(Ok(0), |text| text.parse())?,
    };
    let signals = Signals::block()?;
    memory::raise_lock_limit()?;
    let interface = Interface::find(interface)?;
    let waker = Waker::new()?;
    let mut workers = Vec::new();
    // Attached for as long as the workers run.
    let _redirect = match io.as_str() {
        "socket" => {
            let port = SocketPort::open(&SocketConfig::new("0.0.0.0:53".parse()?))?;
            workers.push(spawn(port, 0, options, &waker));
            None
        }
        mode => {
            let generic = mode == "generic";
            let mode = if generic {
                Attach::Generic
            } else {
                Attach::Native
            };
            let redirect = Redirect::attach(interface.index, mode).context("cannot attach")?;
            for queue in 0..interface.rx_queues {
                let config = XskConfig::new(&interface.name, queue, BindMode::Copy);
                let port = XskPort::open(&config)?;
                redirect
                    .connect(queue, port.socket())
                    .context("cannot fill the XSKMAP")?;
                workers.push(spawn(port, queue as usize, options, &waker));
            }
            Some(redirect)
        }
    };
    println!("ready: {} queues", workers.len());
    while signals.next()?.is_none() {
        wait::readable([signals.as_fd()], None)?;
    }
    STOP.store(true, Ordering::Relaxed);
    waker.wake()?;
    for worker in workers {
        match worker.join() {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    Ok(())
}

/// Starts a worker on its own CPU.
fn spawn<P>(port: P, index: usize, options: Options, waker: &Waker) -> JoinHandle<Result<()>>
where
    P: Port + Send + 'static,
{
    let waker = waker.clone();
    std::thread::spawn(move || work(port, index, options, &waker))
}

/// Echoes on one port until told to stop, then says what it counted.
fn work<P: Port>(mut port: P, index: usize, options: Options, waker: &Waker) -> Result<()> {
    let cpus = cpu::allowed()?;
    cpu::pin(cpus[index % cpus.len()])?;
    let mut echo = Echo::default();
    while !STOP.load(Ordering::Relaxed) {
        let idle = echo.turn(&mut port, options.grow) == 0;
        if idle && !options.spin && !port.backlog() {
            let fd = port.fd().context("the port has a descriptor")?;
            wait::readable([fd, waker.as_fd()], Some(Duration::from_secs(1)))?;
        }
    }
    let counters = Counters::default();
    counters.publish(&mut echo.tally);
    let totals = counters.totals();
    let events = Event::ALL
        .iter()
        .map(|&event| (event.label(), totals.events(event)));
    let discards = Discard::ALL
        .iter()
        .map(|&reason| (reason.label(), totals.discards(reason)));
    let counts: Vec<_> = events
        .chain(discards)
        .filter(|(_, count)| *count > 0)
        .collect();
    println!("worker {index}: {} answered, {counts:?}", echo.answered);
    Ok(())
}
