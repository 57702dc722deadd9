//! Programs that ask and count, on the client's end.

pub(crate) mod dnsperf;
pub(crate) mod kxdpgun;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tests::interrupt::is_interrupted;
use tests::wire::Said;
use tests::wire::running::{Counts, Running};
use tests::wire::stage::Stage;

/// What a generator sends beyond the window: its first queries are not measured.
const LEAD: Duration = Duration::from_millis(150);
/// Longer than a generator takes to begin.
const PATIENCE: Duration = Duration::from_secs(20);
/// Packets that show that it has begun: more than neighbours and routers say to each other.
const BEGUN: u64 = 500;

/// What was counted at the server's end while the load was on, and what the generator said.
pub(crate) struct Load {
    pub(crate) window: [Counts; 2],
    pub(crate) said: Said,
}

/// A generator, gone with the guard.
struct Generator(Child);

impl Drop for Generator {
    fn drop(&mut self) {
        // Both fail when it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command for a generator on the client's end and CPU.
fn command(stage: &Stage, program: &str) -> Command {
    let mut command = stage.veth.client.namespace.command("taskset");
    command.args(["-c", &stage.cpus.client.to_string(), program]);
    command
}

/// How long a generator has to run to cover a window.
fn run_time(window: Duration) -> Duration {
    window + 2 * LEAD
}

/// Runs a generator, and counts at the server's end for the length of `window`, from some moments
/// after its first query on.
fn run(
    command: &mut Command,
    running: &Running<'_>,
    window: Duration,
    parse: impl Fn(&str) -> Option<Said>,
) -> Result<Load, String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let before = running.counts().received;
    let child = command.spawn();
    let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut generator = Generator(child);
    let deadline = Instant::now() + PATIENCE;
    while running.counts().received < before + BEGUN {
        let ended = matches!(generator.0.try_wait(), Ok(Some(_)));
        if ended || is_interrupted() || Instant::now() > deadline {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    // It may have attached a program to its interface.
    running.stage.pin();
    std::thread::park_timeout(LEAD);
    let first = running.counts();
    while first.at.elapsed() < window && !is_interrupted() {
        std::thread::park_timeout(window.saturating_sub(first.at.elapsed()));
    }
    let last = running.counts();
    if is_interrupted() {
        interrupt(&generator);
    }
    let text = output(&mut generator);
    let said = parse(&text).ok_or_else(|| format!("{command:?} says:\n{text}"))?;
    let window = [first, last];
    Ok(Load { window, said })
}

/// Asks a generator to stop.
fn interrupt(generator: &Generator) {
    if let Ok(id) = i32::try_from(generator.0.id()) {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}

/// All that it says, to its end.
fn output(generator: &mut Generator) -> String {
    let mut text = String::new();
    if let Some(mut stdout) = generator.0.stdout.take() {
        let _ = stdout.read_to_string(&mut text);
    }
    if let Some(mut stderr) = generator.0.stderr.take() {
        let _ = stderr.read_to_string(&mut text);
    }
    let _ = generator.0.wait();
    text
}
