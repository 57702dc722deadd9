//! One run of the virtual machine: QEMU as a process, and what comes over its serial lines.

use super::console::{self, Line, Verdict};
use super::machine::{Kernel, Machine};
use super::network::Network;
use crate::{output, shell};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long the kernel's start may take, on a busy machine; it takes 8 to 18 s.
const BOOT_PATIENCE: Duration = Duration::from_secs(60);
/// Times that a machine is booted which does not come up.
const ATTEMPTS: u32 = 3;
/// How long a scenario may take.
const SCENARIO_PATIENCE: Duration = Duration::from_secs(180);
/// How long switching off may take.
const END_PATIENCE: Duration = Duration::from_secs(20);
/// MiB of memory: an image, and a UMEM per queue.
const MEMORY_MIB: u32 = 2048;

/// What to boot.
pub(super) struct Boot<'m> {
    pub(super) machine: &'m Machine,
    pub(super) kernel: &'m Kernel,
    /// The image of the guest's file system.
    pub(super) image: &'m Path,
    pub(super) network: Network,
    /// CPUs of the guest, and so queues that a driver can have.
    pub(super) cpus: u32,
    /// What the guest is to try.
    pub(super) scenarios: &'m [&'m str],
    /// Where the console is written to.
    pub(super) console: &'m Path,
    /// Where QEMU's own messages are written to.
    pub(super) complaints: &'m Path,
}

/// What became of it.
pub(super) struct Outcome {
    /// The verdicts that came.
    pub(super) verdicts: Vec<Verdict>,
    /// Why there are no more of them.
    pub(super) problem: Option<String>,
}

impl Boot<'_> {
    /// Boots, and hands on each verdict as it comes, with the time that it took. A machine that
    /// does not come up is booted anew: emulated CPUs lose their timers now and then.
    pub(super) fn run(&self, mut each: impl FnMut(&Verdict, Duration)) -> Result<Outcome> {
        let mut problem = String::new();
        for _ in 0..ATTEMPTS {
            // Else a boot that writes nothing would be judged by what the last one wrote.
            fs::write(self.console, "")?;
            let start = Instant::now();
            let mut qemu = Qemu::start(&mut self.command(), self.complaints)?;
            match qemu.next(BOOT_PATIENCE) {
                Ok(Line::Booted) => {
                    output::step(
                        "Booted",
                        format!("in {:.1} s", start.elapsed().as_secs_f64()),
                    );
                    return Ok(self.follow(qemu, &mut each));
                }
                Ok(line) => problem = format!("it says {line:?} first"),
                Err(error) => problem = error,
            }
            drop(qemu);
            if let Some(complaint) = self.complaint() {
                problem = format!("{problem}; {complaint}");
            }
            output::note(format!("the machine does not come up: {problem}"));
        }
        Ok(Outcome {
            verdicts: Vec::new(),
            problem: Some(format!("the machine does not come up: {problem}")),
        })
    }

    /// Takes the verdicts of a machine that is up.
    fn follow(&self, mut qemu: Qemu, each: &mut impl FnMut(&Verdict, Duration)) -> Outcome {
        let mut outcome = Outcome {
            verdicts: Vec::new(),
            problem: None,
        };
        let mut last = Instant::now();
        loop {
            match qemu.next(SCENARIO_PATIENCE) {
                Ok(Line::Verdict(verdict)) => {
                    each(&verdict, last.elapsed());
                    last = Instant::now();
                    outcome.verdicts.push(verdict);
                }
                Ok(Line::Done) => break,
                Ok(Line::Booted) => outcome.problem = Some("it booted anew".to_owned()),
                Err(problem) => outcome.problem = Some(problem),
            }
            if outcome.problem.is_some() {
                break;
            }
        }
        if outcome.problem.is_none() {
            // Nothing comes any more: the line ends.
            drop(qemu.next(END_PATIENCE));
        }
        drop(qemu);
        outcome.problem = self.complaint().or(outcome.problem);
        outcome
    }

    /// What the kernel complains of; a console that cannot be read is a complaint as well.
    fn complaint(&self) -> Option<String> {
        let console = match fs::read(self.console) {
            Ok(console) if console.is_empty() => return Some("the console is empty".to_owned()),
            Ok(console) => console,
            Err(error) => return Some(format!("the console cannot be read: {error}")),
        };
        let console = String::from_utf8_lossy(&console);
        let complaint = console::complaint(&console)?;
        Some(format!("the kernel says: {}", complaint.trim()))
    }

    /// The command that boots the machine.
    fn command(&self) -> Command {
        let Self {
            machine, kernel, ..
        } = self;
        let mut qemu = machine.program("usr/bin/qemu-system-x86_64");
        let share = machine.userland.join("usr/share");
        for folder in ["qemu", "seabios"] {
            qemu.arg("-L").arg(share.join(folder));
        }
        qemu.args(["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"])
            .args(["-smp", &self.cpus.to_string()])
            .args(["-m", &MEMORY_MIB.to_string()])
            .args(["-nodefaults", "-display", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(&kernel.image)
            .arg("-initrd")
            .arg(self.image)
            .args(["-append", &self.kernel_options()])
            .arg("-serial")
            .arg(format!("file:{}", self.console.display()))
            .args(["-serial", "stdio"])
            .args(self.network.devices());
        self.network.surround(machine, &qemu)
    }

    /// What the kernel is told, and through it the guest's program.
    fn kernel_options(&self) -> String {
        // Warnings are shown: the kernel's complaints about itself are among them.
        let options = "console=ttyS0 loglevel=5 mitigations=off panic=-1 tsc=reliable";
        format!("{options} ripples.scenarios={}", self.scenarios.join(","))
    }
}

/// The process; killed on drop.
struct Qemu {
    process: Child,
    lines: Receiver<Line>,
}

impl Qemu {
    fn start(command: &mut Command, complaints: &Path) -> Result<Self> {
        output::command(&shell::line(command));
        let complaints = File::create(complaints)
            .with_context(|| format!("could not create {}", complaints.display()))?;
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .with_context(|| format!("could not start `{}`", shell::line(command)))?;
        let stdout = process.stdout.take().context("its output is piped")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines_of(stdout) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, lines })
    }

    /// The next line; an error says why none comes.
    fn next(&mut self, patience: Duration) -> Result<Line, String> {
        let next = self.lines.recv_timeout(patience);
        next.map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("nothing for {} s", patience.as_secs()),
            RecvTimeoutError::Disconnected => "the machine went off".to_owned(),
        })
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // Both fail when it is gone already, and gone it shall be.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The lines that mean something.
fn lines_of(stdout: ChildStdout) -> impl Iterator<Item = Line> {
    let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
    lines.filter_map(|bytes| console::line(&String::from_utf8_lossy(&bytes)))
}

/// Where a boot's console is kept.
pub(super) fn console_path(home: &Path, name: &str) -> PathBuf {
    home.join("logs").join(format!("{name}.log"))
}
