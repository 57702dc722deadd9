//! Times: many short windows, in which the case and the bare way back take turns.

use super::cases::Case;
use super::routes;
use ripples::port::MemPort;
use ripples::port::mem::MemFrame;
use ripples::querylog::{Buffer, Filter, Reader, Tap, Taps, recorder};
use ripples::reflect::Reflection;
use ripples::simd::{Level, Simd, Unfetched};
use ripples::snapshot::Snapshot;
use ripples::sys::clock;
use ripples::telemetry::{Counters, Tally};
use ripples::vectorloop::Turn;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::answers::TIME_S;

/// The usual vector.
pub(crate) const USUAL_VECTOR: usize = 64;
/// Frames of the port, answered between two looks at the clock.
pub(crate) const FRAMES: usize = 1024;
/// Bytes of a frame.
const FRAME_LEN: usize = 2048;
/// How long a window is, and how many there are.
const WINDOW: Duration = Duration::from_millis(10);
const WINDOWS: usize = 100;

/// How a case is run.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) level: Level,
    pub(crate) vector: usize,
    pub(crate) prefetch: bool,
    pub(crate) extra: Option<Extra>,
}

/// What is done for every packet beside what is always done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extra {
    /// All queries are written down, as a JSON query log needs them.
    QueryLog,
    /// Their checksums are verified.
    Checksums,
    /// Replies go to the next hop of a routing table.
    Routes,
}

impl Extra {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::QueryLog => "query log",
            Self::Checksums => "checksums",
            Self::Routes => "routes",
        }
    }
}

/// Nanoseconds per packet.
pub(crate) struct Times {
    /// Half of the windows took less.
    pub(crate) median: f64,
    /// A twentieth took less: what the machine does when nothing else runs.
    pub(crate) least: f64,
    /// The first and the third quarter's end.
    pub(crate) spread: [f64; 2],
    /// The median of windows that send frames back unread.
    pub(crate) floor: f64,
    /// With something extra: how many times as long as without, in windows between these.
    pub(crate) ratio: Option<f64>,
}

/// What a case is measured in: the best level first.
pub(crate) fn settings(case: &Case) -> Vec<Setting> {
    let usual = Setting {
        level: Level::detect(),
        vector: USUAL_VECTOR,
        prefetch: true,
        extra: None,
    };
    let mut settings = vec![usual];
    if case.is_logged() {
        let extras = [Extra::QueryLog, Extra::Checksums, Extra::Routes].map(Some);
        settings.extend(extras.map(|extra| Setting { extra, ..usual }));
    }
    if ["hot", "1M uniform"].contains(&case.name) {
        // All but the best, which is there already.
        let others = Level::all()
            .into_iter()
            .filter(|level| level.name() != usual.level.name());
        settings.extend(others.map(|level| Setting { level, ..usual }));
    }
    if ["1k uniform", "1M uniform"].contains(&case.name) {
        settings.extend([1, 8, 32, 256].map(|vector| Setting { vector, ..usual }));
        settings.push(Setting {
            prefetch: false,
            ..usual
        });
    }
    settings
}

/// A port that receives the frames over and over.
pub(crate) fn port(frames: &[Vec<u8>], extra: Option<Extra>) -> MemPort {
    let port = MemPort::ethernet(FRAMES, FRAME_LEN).replaying(frames.iter().map(Vec::as_slice));
    match extra {
        Some(Extra::Checksums) => port.verifying(),
        Some(Extra::Routes) => port.routed(routes::subscription()),
        Some(Extra::QueryLog) | None => port,
    }
}

/// Answers, as a worker does.
pub(crate) struct Answering {
    turn: Turn<MemFrame>,
    tally: Tally,
    counters: Counters,
    setting: Setting,
    log: Option<Log>,
}

/// The reading side of a query log: it only changes buffers.
struct Log {
    reader: Reader,
    taps: Arc<Taps>,
    spare: Option<Buffer>,
}

/// Bytes of a worker's buffer unless configured.
const BUFFER_LEN: usize = 6_553_500;
/// Bytes of a reply that the usual log of JSON lines needs.
const REPLY_LEN: u16 = 768;

impl Log {
    /// One that takes everything.
    fn new(reader: Reader) -> Self {
        let taps = Taps::new([Tap {
            number: 0,
            filter: Filter::default(),
            sample: 1,
            reply_len: REPLY_LEN,
            queries: false,
        }]);
        Self {
            reader,
            taps: Arc::new(taps),
            spare: Some(Buffer::new(BUFFER_LEN)),
        }
    }

    /// Changes buffers when a good part is full, as the log's thread does.
    fn flip(&mut self) {
        if let Some(delivered) = self.reader.take() {
            let mut buffer = delivered.unwrap_or_else(|| Buffer::new(BUFFER_LEN));
            buffer.clear();
            self.spare = Some(buffer);
        }
        let is_due = self.spare.is_some() && self.reader.filled() >= BUFFER_LEN / 4;
        if is_due || self.reader.filled() == 0 && !self.reader.is_waiting() {
            let order = self.reader.order(Arc::clone(&self.taps), self.spare.take());
            self.spare = order.err().flatten();
        }
    }
}

impl Answering {
    /// Nothing is answered yet.
    pub(crate) fn new(setting: Setting) -> Self {
        let mut turn = Turn::at_level(setting.vector, setting.level);
        let log = (setting.extra == Some(Extra::QueryLog)).then(|| {
            let (recorder, reader) = recorder();
            turn.set_recorder(recorder);
            Log::new(reader)
        });
        Self {
            turn,
            tally: Tally::default(),
            counters: Counters::default(),
            setting,
            log,
        }
    }

    /// Takes a turn. Returns how many frames there were.
    pub(crate) fn run(&mut self, port: &mut MemPort, snapshot: &Snapshot) -> usize {
        // Twice a vector, as a worker does it: both are part of the price.
        if let Some(log) = &mut self.log
            && let Some(recorder) = self.turn.recorder()
        {
            log.flip();
            recorder.begin(clock::ticks);
        }
        let count = match (self.setting.prefetch, self.setting.level) {
            (true, _) => self.turn.run(port, snapshot, TIME_S, &mut self.tally),
            (false, Level::Portable(simd)) => self.unfetched(simd, port, snapshot),
            #[cfg(target_arch = "x86_64")]
            (false, Level::Avx512(simd)) => self.unfetched(simd, port, snapshot),
        };
        if self.log.is_some()
            && let Some(recorder) = self.turn.recorder()
        {
            recorder.end(clock::ticks);
        }
        self.counters.publish(&mut self.tally);
        count
    }

    /// Takes a turn without prefetches.
    fn unfetched(&mut self, simd: impl Simd, port: &mut MemPort, snapshot: &Snapshot) -> usize {
        let (turn, tally) = (&mut self.turn, &mut self.tally);
        turn.run_with(Unfetched(simd), port, snapshot, TIME_S, tally)
    }
}

/// Measures a case in one setting.
pub(crate) fn times(frames: &[Vec<u8>], snapshot: &Snapshot, setting: Setting) -> Times {
    let mut port = self::port(frames, setting.extra);
    let mut answering = Answering::new(setting);
    let mut plain = setting.extra.map(|extra| {
        let plain = Setting {
            extra: None,
            ..setting
        };
        // Where the port has nothing extra, it is the same one: another has its own memory.
        let port = (extra != Extra::QueryLog).then(|| self::port(frames, None));
        (port, Answering::new(plain))
    });
    let mut reflection = Reflection::new(setting.vector);
    let mut tally = Tally::default();
    // Every query once: what is cold in the first round is not what is asked for.
    let mut warm = 0;
    while warm < frames.len() {
        port.deliver();
        warm += answering.run(&mut port, snapshot);
    }
    let (mut cases, mut floors, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        cases.push(window(&mut port, |port| answering.run(port, snapshot)));
        if let Some((own, plain)) = &mut plain {
            let port = own.as_mut().unwrap_or(&mut port);
            without.push(window(port, |port| plain.run(port, snapshot)));
        }
        floors.push(window(&mut port, |port| reflection.run(port, &mut tally)));
    }
    let [cases, floors, without] = [cases, floors, without].map(|mut values| {
        values.sort_by(f64::total_cmp);
        values
    });
    let at = |values: &[f64], percent: usize| values[values.len() * percent / 100];
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    Times {
        median: tenths(at(&cases, 50)),
        least: tenths(at(&cases, 5)),
        spread: [tenths(at(&cases, 25)), tenths(at(&cases, 75))],
        floor: tenths(at(&floors, 50)),
        ratio: plain.map(|_| (at(&cases, 50) / at(&without, 50) * 1e3).round() / 1e3),
    }
}

/// Nanoseconds per packet in one window; `turn` says how many packets it took. That frames come in
/// costs another's time: on a NIC it is not the CPU's.
fn window(port: &mut MemPort, mut turn: impl FnMut(&mut MemPort) -> usize) -> f64 {
    let (mut elapsed, mut packets) = (Duration::ZERO, 0);
    while elapsed < WINDOW {
        let waiting = port.deliver();
        let (start, mut taken) = (Instant::now(), 0);
        while taken < waiting {
            taken += turn(port);
        }
        elapsed += start.elapsed();
        packets += taken;
    }
    elapsed.as_secs_f64() * 1e9 / packets as f64
}
