//! Loads and the echo, each a process of its own: this very program with other words.

use crate::place::Spot;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;
use tests::tcp_load::Shape;
use tests::tcp_load::echo::Echo;
use tests::tcp_load::flood::Flood;
use tests::tcp_load::generator::Load;
use tests::tcp_load::questions::Expects;
use tests::tcp_load::said::Said;
use tests::words::{list, number};

/// What a process says when it listens, or when what it measures begins.
const BEGIN: &str = "begin";

/// A process, gone with the guard.
pub(crate) struct Helper {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Helper {
    /// Starts an echo, and waits until it listens.
    pub(crate) fn echo(spot: &Spot<'_>, echo: Echo) -> Result<Self, String> {
        let lens = [echo.query_len, echo.reply_len].map(|len| len.to_string());
        let [query_len, reply_len] = lens;
        let words = [
            "echo".to_owned(),
            echo.listen.to_string(),
            query_len,
            reply_len,
        ];
        Self::start(spot, &words)?.begun()
    }

    /// Starts a load over TCP, and waits until its window begins.
    pub(crate) fn load(spot: &Spot<'_>, load: &Load) -> Result<Self, String> {
        let expects = match load.expects {
            Expects::Answers => "answers",
            Expects::Echo => "echo",
        };
        let [warm_up, window] = [load.warm_up, load.window].map(micros);
        let (server, shape) = (load.server.to_string(), load.shape.to_string());
        let watch = joined(&load.watch);
        let words = [
            "load".to_owned(),
            server,
            shape,
            expects.to_owned(),
            warm_up,
            window,
            watch,
        ];
        Self::start(spot, &words)?.begun()
    }

    /// Starts a flood over UDP, and waits until it begins.
    pub(crate) fn flood(spot: &Spot<'_>, flood: &Flood) -> Result<Self, String> {
        let (server, rate) = (flood.server.to_string(), flood.rate.to_string());
        let (window, watch) = (micros(flood.window), joined(&flood.watch));
        Self::start(spot, &["flood".to_owned(), server, rate, window, watch])?.begun()
    }

    fn start(spot: &Spot<'_>, words: &[String]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = spot.command(program);
        command.args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn();
        let mut child = child.map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let lines = BufReader::new(stdout);
        Ok(Self { child, lines })
    }

    /// Waits until it says so.
    fn begun(mut self) -> Result<Self, String> {
        match self.line()? {
            line if line == BEGIN => Ok(self),
            line => Err(line),
        }
    }

    /// Waits for its end; returns what it has counted.
    pub(crate) fn said(mut self) -> Result<Said, String> {
        Said::read(&self.line()?)
    }

    /// Its process.
    pub(crate) fn id(&self) -> i32 {
        i32::try_from(self.child.id()).expect("Linux counts to 2^22")
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => Err("it has ended without a word".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Both fail when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does a helper's work if that is what the words say.
pub(crate) fn is_one(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["echo", listen, query_len, reply_len] => echo(Echo {
            listen: address(listen),
            query_len: number(query_len) as usize,
            reply_len: number(reply_len) as usize,
        }),
        ["load", server, shape, expects, warm_up, window, watch] => Load {
            server: address(server),
            shape: Shape::named(shape),
            expects: match expects {
                "echo" => Expects::Echo,
                _ => Expects::Answers,
            },
            warm_up: duration(warm_up),
            window: duration(window),
            watch: processes(watch),
        }
        .run(begin),
        ["flood", server, rate, window, watch] => Flood {
            server: address(server),
            rate: number(rate),
            window: duration(window),
            watch: processes(watch),
        }
        .run(begin),
        _ => return false,
    };
    match outcome {
        Ok(said) => say(said.line()),
        Err(error) => say(error),
    }
    true
}

/// Ends only by failing.
fn echo(echo: Echo) -> std::io::Result<Said> {
    echo.serve(begin).map(|never| match never {})
}

fn begin() {
    say(BEGIN);
}

fn say(line: impl Display) {
    println!("{line}");
    // Who reads it may be gone.
    let _ = std::io::stdout().flush();
}

fn micros(duration: Duration) -> String {
    duration.as_micros().to_string()
}

fn duration(micros: &str) -> Duration {
    Duration::from_micros(number(micros).into())
}

fn address(text: &str) -> SocketAddr {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is no address"))
}

fn joined(processes: &[i32]) -> String {
    let texts: Vec<String> = processes.iter().map(i32::to_string).collect();
    texts.join(",")
}

fn processes(text: &str) -> Vec<i32> {
    let id = |text: &str| i32::try_from(number(text)).expect("Linux counts to 2^22");
    list(text, id)
}
