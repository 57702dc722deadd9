//! The log as a whole: threads in front, a file behind.

use super::counters::LogEvent;
use super::layer::{Rings, limit_this_thread};
use super::limiter::Limiter;
use super::ring::Source;
use super::shared::Shared;
use super::sink::Sink;
use super::writer;
use crate::config::{LogFormat, LogOutput, LogTarget};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::prelude::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// A log into a file of its own.
struct Log {
    shared: Arc<Shared>,
    /// What the writer gets when it begins.
    beginning: Mutex<Option<(Receiver<Source>, Sink)>>,
    thread: Option<JoinHandle<()>>,
    dispatch: Dispatch,
    folder: PathBuf,
}

impl Log {
    /// One that does not write yet.
    fn asleep(burst: u32) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ripples-log-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let output = LogOutput {
            format: LogFormat::Text,
            target: LogTarget::File(folder.join("log")),
            ..LogOutput::default()
        };
        let sink = Sink::open(&output).unwrap();
        let (shared, arrivals) = Shared::new(Limiter::new(burst, 3600)).unwrap();
        let shared = Arc::new(shared);
        let rings = Rings(Arc::clone(&shared));
        Self {
            shared,
            beginning: Mutex::new(Some((arrivals, sink))),
            thread: None,
            dispatch: Dispatch::new(tracing_subscriber::registry().with(rings)),
            folder,
        }
    }

    fn new(burst: u32) -> Self {
        let mut log = Self::asleep(burst);
        log.begin();
        log
    }

    /// Writes from now on.
    fn begin(&mut self) {
        let beginning = self.beginning.get_mut().unwrap().take();
        let (arrivals, sink) = beginning.unwrap();
        let thread = writer::spawn(Arc::clone(&self.shared), arrivals, sink);
        self.thread = Some(thread.unwrap());
    }

    fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        dispatcher::with_default(&self.dispatch, work)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Ends it; returns all that was written.
    fn end(mut self) -> String {
        assert!(self.shared.close(PATIENCE));
        self.thread.take().unwrap().join().unwrap();
        let text = self.text();
        fs::remove_dir_all(&self.folder).unwrap();
        text
    }
}

#[test]
fn what_many_threads_say_is_all_there_and_in_the_order_of_time() {
    const THREADS: usize = 8;
    const EACH: usize = 5000;
    let log = Log::new(0);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let log = &log;
            scope.spawn(move || {
                log.with(|| (0..EACH).for_each(|count| tracing::info!(number, count, "said")));
            });
        }
    });
    let totals = log.shared.counters.totals();
    let text = log.end();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(" said "))
        .collect();
    // Rings may be full for a moment; then nobody waits.
    assert_eq!(
        lines.len() as u64 + totals.get(LogEvent::Dropped),
        (THREADS * EACH) as u64
    );
    assert_eq!(totals.messages().nth(2), Some(("info", lines.len() as u64)));
    for number in 0..THREADS {
        let own = format!("number={number} count=");
        let counts = lines.iter().filter_map(|line| line.split_once(&own));
        let counts = counts.map(|(_, count)| count.parse::<usize>().unwrap());
        assert!(counts.is_sorted_by(|one, next| one < next));
    }
    let late = lines
        .windows(2)
        .filter(|pair| pair[0][..30] > pair[1][..30]);
    assert!(late.count() < lines.len() / 10);
}

#[test]
fn threads_that_have_spoken_before_the_writer_begins_are_merged_by_time() {
    let mut log = Log::asleep(0);
    thread::scope(|scope| {
        let turns = [mpsc::channel::<usize>(), mpsc::channel()];
        let [(to_one, one), (to_other, other)] = turns;
        to_one.send(0).unwrap();
        for (mine, theirs) in [(one, to_other), (other, to_one)] {
            let log = &log;
            scope.spawn(move || {
                log.with(|| {
                    for turn in mine {
                        tracing::info!(turn, "said");
                        if turn == 99 || theirs.send(turn + 1).is_err() {
                            return;
                        }
                    }
                });
            });
        }
    });
    log.begin();
    let text = log.end();
    let turns = text
        .lines()
        .map(|line| line.rsplit_once("turn=").unwrap().1);
    assert!(turns.eq((0..100).map(|turn| turn.to_string())), "{text}");
}

#[test]
fn what_finds_no_room_is_counted_and_told_once_and_nobody_waits() {
    let mut log = Log::asleep(0);
    let long = "x".repeat(1000);
    log.with(|| (0..1000).for_each(|_| tracing::warn!("{long}")));
    let dropped = log.shared.counters.totals().get(LogEvent::Dropped);
    assert!((1..1000).contains(&dropped), "{dropped}");
    log.begin();
    let text = log.end();
    assert_eq!(text.matches(&long).count() as u64, 1000 - dropped);
    let told = format!(" WARN ripples::telemetry::log {dropped} messages dropped: ");
    assert_eq!(text.matches(&told).count(), 1);
    assert_eq!(text.matches("messages dropped").count(), 1);
}

#[test]
fn a_flush_returns_when_all_is_written_that_was_logged_before() {
    let log = Log::new(0);
    log.with(|| {
        for count in 0..200 {
            tracing::info!("number {count}.");
            assert!(log.shared.flush(PATIENCE, true));
            assert!(log.text().ends_with(&format!("number {count}.\n")));
        }
    });
    log.end();
}

#[test]
fn without_a_writer_a_flush_waits_once_and_then_no_more() {
    let log = Log::asleep(0);
    log.with(|| tracing::info!("said"));
    assert!(!log.shared.flush(Duration::from_millis(1), false));
    let started = std::time::Instant::now();
    assert!(!log.shared.flush(PATIENCE, false));
    assert!(started.elapsed() < PATIENCE);
    fs::remove_dir_all(&log.folder).unwrap();
}

#[test]
fn hot_threads_and_the_kernel_program_are_limited_and_others_and_details_are_not() {
    let log = Log::new(3);
    let say = || {
        for _ in 0..10 {
            tracing::warn!("often");
            tracing::debug!("detail");
            tracing::debug!(target: "xdp", "packet");
        }
    };
    log.with(say);
    thread::scope(|scope| {
        scope.spawn(|| {
            limit_this_thread();
            log.with(say);
        });
    });
    let totals = log.shared.counters.totals();
    let text = log.end();
    let count = |text_of: &str| text.matches(text_of).count();
    assert_eq!(
        (count("often\n"), count("detail\n"), count("packet\n")),
        (13, 20, 3)
    );
    assert_eq!(totals.get(LogEvent::RateLimited), 7 + 17);
    assert!(
        text.contains(" 7 messages like those before left out ("),
        "{text}"
    );
    assert!(text.contains("DEBUG xdp 17 messages like those before left out ("));
}

#[test]
fn a_value_that_logs_while_it_is_written_breaks_nothing() {
    struct Talks;
    impl std::fmt::Display for Talks {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!("inner");
            f.write_str("outer")
        }
    }
    let log = Log::new(0);
    log.with(|| tracing::info!("{Talks}"));
    let text = log.end();
    assert!(
        text.contains(" outer\n") && !text.contains("inner"),
        "{text}"
    );
}

#[test]
fn rings_of_threads_that_have_ended_are_freed_and_their_last_words_written() {
    let log = Log::new(0);
    for number in 0..100 {
        thread::scope(|scope| {
            scope.spawn(|| log.with(|| tracing::info!("thread {number}.")));
        });
    }
    let text = log.end();
    assert!((0..100).all(|number| text.contains(&format!("thread {number}.\n"))));
}
