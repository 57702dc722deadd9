//! What the service manager is told, where there is one (sd_notify(3)).

use crate::sys::clock;
use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::{Duration, Instant};

/// Everything is answered, by this process: it is the service's main one from now on.
pub(super) fn serving(summary: &str) {
    let pid = process::id();
    say(&format!("MAINPID={pid}\nREADY=1\nSTATUS=serving {summary}"));
}

/// Configuration and zones are read anew, until [`ready`].
pub(super) fn reloading() {
    let now_us = clock::monotonic_us();
    say(&format!("RELOADING=1\nMONOTONIC_USEC={now_us}"));
}

/// What was read anew is served, or the old data is.
pub(super) fn ready() {
    say("READY=1");
}

/// The service ends.
pub(super) fn stopping() {
    say("STOPPING=1\nSTATUS=draining");
}

/// Says, often enough, that the control thread is alive, where that is asked for.
pub(super) struct Watchdog {
    /// How often; none: nobody asks.
    period: Option<Duration>,
    fed: Instant,
}

impl Watchdog {
    /// As the service manager wants it (sd_watchdog_enabled(3)).
    pub(super) fn new() -> Self {
        let number = |name| env::var(name).ok()?.parse::<u64>().ok();
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
        let limit = number("WATCHDOG_USEC").filter(|_| ours);
        Self {
            // Half of what it may take is what the manual recommends.
            period: limit.map(|limit_us| Duration::from_micros(limit_us / 2)),
            fed: Instant::now(),
        }
    }

    /// How long the thread may sleep that would otherwise do so for `tick`.
    pub(super) fn tick(&self, tick: Duration) -> Duration {
        self.period.map_or(tick, |period| tick.min(period / 2))
    }

    /// Called in each turn of the thread.
    pub(super) fn feed(&mut self) {
        if self
            .period
            .is_some_and(|period| self.fed.elapsed() >= period / 2)
        {
            say("WATCHDOG=1");
            self.fed = Instant::now();
        }
    }
}

/// Sends it where the environment says. Without a service manager nobody listens.
fn say(lines: &str) {
    let Some(place) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(&place, lines) {
        tracing::warn!(%error, "NOTIFY_SOCKET={}", place.display());
    }
}

/// Sends to a path, or to an abstract address that is written with `@` for its first byte.
fn send(place: &OsStr, lines: &str) -> io::Result<()> {
    let address = match place.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(place)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not stop the service.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(lines.as_bytes(), &address).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_addresses_are_sent_to() {
        let name = format!("ripples-notify-{}", process::id());
        let path = env::temp_dir().join(&name);
        let abstract_place = SocketAddr::from_abstract_name(&name).unwrap();
        for (socket, place) in [
            (UnixDatagram::bind(&path), path.clone().into_os_string()),
            (
                UnixDatagram::bind_addr(&abstract_place),
                format!("@{name}").into(),
            ),
        ] {
            send(&place, "READY=1").unwrap();
            let mut said = [0; 16];
            let len = socket.unwrap().recv(&mut said).unwrap();
            assert_eq!(&said[..len], b"READY=1");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn nobody_asks_without_a_limit() {
        let watchdog = Watchdog {
            period: None,
            fed: Instant::now(),
        };
        let tick = Duration::from_millis(500);
        assert_eq!(watchdog.tick(tick), tick);
        let hurried = Watchdog {
            period: Some(Duration::from_millis(100)),
            ..watchdog
        };
        assert_eq!(hurried.tick(tick), Duration::from_millis(50));
    }
}
