//! The one clock of the thread, read once per turn.

use std::time::Instant;

/// Milliseconds since the clock was started; they never run backwards.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Starts at zero, now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time, in whole milliseconds.
    pub fn now_ms(&self) -> u64 {
        // 2^64 milliseconds are half a billion years.
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
