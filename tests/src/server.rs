//! The `ripples` binary as a process: started, asked, signalled, and gone with the guard.

use crate::binary::binary;
use crate::folder::Folder;
use crate::netns::Namespace;
use crate::stats::Stats;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest wait for anything that a process does. Far above what it takes: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The zone `example` of the end-to-end tests.
pub const EXAMPLE: &str = include_str!("example.zone");

/// A start of the binary, not done yet.
#[derive(Debug)]
pub struct Launch {
    /// Words before the binary's own name.
    prefix: Vec<OsString>,
    arguments: Vec<OsString>,
    program: PathBuf,
    folder: Folder,
    /// The control socket, where it is not in the folder.
    control: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
}

/// What a process that has ended left behind.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Launch {
    /// `ripples` with `arguments`.
    pub fn new(arguments: &[&str]) -> Self {
        Self {
            prefix: Vec::new(),
            arguments: arguments.iter().map(OsString::from).collect(),
            program: binary().to_owned(),
            folder: Folder::new(),
            control: None,
            environment: Vec::new(),
        }
    }

    /// `ripples run` with a control socket of its own and `arguments`.
    pub fn run(arguments: &[&str]) -> Self {
        let launch = Self::new(&["run"]);
        let control = launch.folder.path().join(CONTROL);
        launch
            .with(&["--control", &control.to_string_lossy()])
            .with(arguments)
    }

    /// `ripples run` with the control socket at `control` and `arguments`.
    pub fn run_at(control: &Path, arguments: &[&str]) -> Self {
        let mut launch = Self::new(&["run", "--control", &control.to_string_lossy()]);
        launch.control = Some(control.to_owned());
        launch.with(arguments)
    }

    /// Runs another copy of the binary.
    pub fn program(mut self, path: &Path) -> Self {
        self.program = path.to_owned();
        self
    }

    /// Sets a variable of its environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// More arguments.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Serves `text` as the zone `origin`.
    pub fn zone(self, origin: &str, text: &str) -> Self {
        let file = self.folder.write(&zone_file(origin), text);
        let zone = format!("{origin}={}", file.display());
        self.with(&["--zone", &zone])
    }

    /// A file in the folder that the process has for itself.
    pub fn file(self, name: &str, text: &str) -> Self {
        self.folder.write(name, text);
        self
    }

    /// The folder that the process has for itself, which is also its working directory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs by way of a program that becomes the server, as in `["prlimit", "--nofile=64:64"]`.
    pub fn by(mut self, words: &[&str]) -> Self {
        self.prefix.extend(words.iter().map(OsString::from));
        self
    }

    /// Runs in a network namespace.
    pub fn within(mut self, namespace: &Namespace) -> Self {
        let words = ["ip", "netns", "exec", namespace.name()];
        self.prefix.splice(0..0, words.map(OsString::from));
        self
    }

    /// Runs as nobody, without any capability. Only root can start that.
    pub fn without_rights(mut self) -> Self {
        // The build's own folder may be closed to others.
        let copy = self.folder.path().join("ripples");
        fs::copy(&self.program, &copy).expect("a folder of one's own");
        self.program = copy;
        let words = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        self.prefix.extend(words.map(OsString::from));
        let words = ["--bounding-set=-all", "--inh-caps=-all"];
        self.prefix.extend(words.map(OsString::from));
        self
    }

    /// Starts it and waits until it is ready.
    pub fn start(self) -> Server {
        let mut server = self.begin();
        server.await_log("ready\n");
        server
    }

    /// Starts it, and does not wait.
    pub fn begin(self) -> Server {
        let control = self.control.clone();
        let (child, folder) = self.spawn();
        let control = control.unwrap_or_else(|| folder.path().join(CONTROL));
        Server::new(child, folder, control)
    }

    /// Starts it and waits for its end.
    pub fn finish(self) -> Ended {
        let (mut child, _folder) = self.spawn();
        let mut stdout = child.stdout.take().expect("it is piped");
        let stdout = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        let log = Log::follow(child.stderr.take().expect("it is piped"));
        let deadline = Instant::now() + PATIENCE;
        let status = await_exit(&mut child, deadline);
        if status.is_none() {
            child.kill().expect("it runs");
            child.wait().expect("it was killed");
        }
        let stderr = log.end();
        let stdout = stdout.join().expect("no panic").expect("UTF-8");
        let status = status.unwrap_or_else(|| panic!("it does not end; it says:\n{stderr}"));
        Ended {
            code: status.code(),
            stdout,
            stderr,
        }
    }

    fn spawn(self) -> (Child, Folder) {
        let mut words = self.prefix.clone();
        words.push(self.program.clone().into());
        words.extend(self.arguments.clone());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        (child, self.folder)
    }
}

/// What the log says of a reload that is over.
const RELOADED: &str = " reloaded generation=";
/// The control socket in a process's folder.
const CONTROL: &str = "control.sock";

/// A running server; killed on drop.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: Option<Log>,
    folder: Folder,
    control: PathBuf,
}

impl Server {
    fn new(mut child: Child, folder: Folder, control: PathBuf) -> Self {
        let log = Log::follow(child.stderr.take().expect("it is piped"));
        Self {
            child,
            log: Some(log),
            folder,
            control,
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder that it has for itself.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its control socket.
    pub fn control(&self) -> PathBuf {
        self.control.clone()
    }

    /// Replaces the master file of the zone `origin`.
    pub fn rewrite(&self, origin: &str, text: &str) {
        self.folder.write(&zone_file(origin), text);
    }

    /// What it has said on standard error so far.
    pub fn log(&self) -> String {
        self.log.as_ref().expect("it runs").text()
    }

    /// Waits until it has said `text`.
    pub fn await_log(&mut self, text: &str) {
        let log = self.log.as_ref().expect("it runs");
        let found = log.wait(|said| said.contains(text));
        assert!(found, "it does not say {text:?}; it says:\n{}", log.text());
    }

    /// Runs `ripples ctl` on it.
    pub fn ctl(&self, arguments: &[&str]) -> Ended {
        let control = self.control();
        let control = control.to_string_lossy();
        Launch::new(&["ctl", "--control", &control])
            .with(arguments)
            .finish()
    }

    /// Reads what has changed by `ripples ctl`, which waits until it is served.
    pub fn reload(&self) {
        let ended = self.ctl(&["reload"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }

    /// Reads what has changed, something of which cannot be read; returns what it says of that.
    pub fn reload_refused(&self) -> String {
        let ended = self.ctl(&["reload"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        ended.stderr
    }

    /// How many reloads have ended so far.
    pub fn reloads(&self) -> usize {
        self.log().matches(RELOADED).count()
    }

    /// Waits for the end of a reload that came after the first `before`.
    pub fn await_reload(&mut self, before: usize) {
        let log = self.log.as_ref().expect("it runs");
        let ended = log.wait(|said| said.matches(RELOADED).count() > before);
        assert!(ended, "it does not reload; it says:\n{}", log.text());
    }

    /// What it has counted.
    pub fn stats(&self) -> Stats {
        let ended = self.ctl(&["stats", "--json"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        Stats::from_json(&ended.stdout)
    }

    /// Waits until its counters are as `wanted`: what was counted for a reply may be told a moment
    /// after the reply has come.
    pub fn await_stats(&self, wanted: impl Fn(&Stats) -> bool) -> Stats {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The server leaves a client alone that a busy machine keeps from asking.
            let ended = self.ctl(&["stats", "--json"]);
            if ended.code == Some(0) {
                let stats = Stats::from_json(&ended.stdout);
                if wanted(&stats) {
                    return stats;
                }
            }
            let (stats, complaint) = (ended.stdout, ended.stderr);
            assert!(
                Instant::now() < deadline,
                "still {stats}{complaint}\n{}",
                self.log()
            );
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("Linux counts to 2^22");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    /// Processor time that its threads have used, what the kernel did in their calls included
    /// (Documentation/scheduler/sched-stats.rst).
    pub fn processor_time(&self) -> Duration {
        Duration::from_nanos(self.thread_times().into_values().sum())
    }

    /// Nanoseconds of processor time that each of its threads has used, by the thread's number.
    fn thread_times(&self) -> HashMap<OsString, u64> {
        let tasks = format!("/proc/{}/task", self.id());
        let tasks = fs::read_dir(tasks).expect("it runs").flatten();
        let time_ns = |task: fs::DirEntry| {
            // A thread may end meanwhile.
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            let ns = text.split_whitespace().next()?.parse().ok()?;
            Some((task.file_name(), ns))
        };
        tasks.filter_map(time_ns).collect()
    }

    /// Processor time that it uses within `duration`, but for threads that end in it.
    pub fn processor_time_of(&self, duration: Duration) -> Duration {
        let (start, before) = (Instant::now(), self.thread_times());
        while let Some(left) = duration.checked_sub(start.elapsed()) {
            std::thread::park_timeout(left);
        }
        let after = self.thread_times().into_iter();
        let used =
            after.map(|(thread, ns)| ns.saturating_sub(before.get(&thread).copied().unwrap_or(0)));
        Duration::from_nanos(used.sum())
    }

    /// Waits until it has ended; returns how.
    pub fn wait(mut self) -> Ended {
        let status = await_exit(&mut self.child, Instant::now() + PATIENCE);
        let status = status.unwrap_or_else(|| panic!("it does not end:\n{}", self.log()));
        Ended {
            code: status.code(),
            stdout: String::new(),
            stderr: self.log.take().map(Log::end).unwrap_or_default(),
        }
    }

    /// Stops it by SIGTERM; it must leave with 0. Returns what it said.
    pub fn stop(self) -> String {
        self.signal(Signal::SIGTERM);
        let ended = self.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    }

    /// Ends it as a crash would.
    pub fn kill(self) {
        self.signal(Signal::SIGKILL);
        self.wait();
    }
}

/// A server that another one has started, by its control socket; stopped on drop.
#[derive(Debug)]
pub struct Orphan(pub PathBuf);

impl Orphan {
    /// Runs `ripples ctl` on it.
    pub fn ctl(&self, arguments: &[&str]) -> Ended {
        Launch::new(&["ctl", "--control", &self.0.to_string_lossy()])
            .with(arguments)
            .finish()
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        // Else it would run on after a test that fails; it may be gone already.
        self.ctl(&["stop"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            // Both fail when it is gone already, and gone it shall be.
            let _ = self.child.kill();
            let _ = self.child.wait();
            let said = log.end();
            if std::thread::panicking() {
                eprintln!("the server said:\n{said}");
            }
        }
    }
}

/// The name of a zone's file.
fn zone_file(origin: &str) -> String {
    format!("{}.zone", origin.trim_end_matches('.'))
}

/// Waits for the end of `child`, at most until `deadline`.
fn await_exit(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        let status = child.try_wait().expect("a child of this process");
        if status.is_some() || Instant::now() > deadline {
            return status;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// A process's standard error, read as it comes.
#[derive(Debug)]
struct Log {
    said: Arc<(Mutex<Said>, Condvar)>,
    reader: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Said {
    text: String,
    ended: bool,
}

impl Log {
    fn follow(stderr: ChildStderr) -> Self {
        let said = Arc::<(Mutex<Said>, Condvar)>::default();
        let shared = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            let (said, changed) = &*shared;
            let mut stderr = BufReader::new(stderr);
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
                said.lock().expect("no panic").text += &String::from_utf8_lossy(&line);
                changed.notify_all();
                line.clear();
            }
            said.lock().expect("no panic").ended = true;
            changed.notify_all();
        });
        Self { said, reader }
    }

    fn text(&self) -> String {
        self.said.0.lock().expect("no panic").text.clone()
    }

    /// Waits until what was said is as `wanted`; false when it ended or took too long before.
    fn wait(&self, wanted: impl Fn(&str) -> bool) -> bool {
        let (said, changed) = &*self.said;
        let said = said.lock().expect("no panic");
        let waiting = |said: &mut Said| !said.ended && !wanted(&said.text);
        let waited = changed.wait_timeout_while(said, PATIENCE, waiting);
        let (said, _) = waited.expect("no panic");
        wanted(&said.text)
    }

    /// All of it, once the process has ended.
    fn end(self) -> String {
        self.reader.join().expect("no panic");
        self.said.0.lock().expect("no panic").text.clone()
    }
}
