//! When something was logged.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Time since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timestamp {
    /// Whole seconds.
    pub(super) seconds: u64,
    /// What is beyond them.
    pub(super) nanos: u32,
}

impl Timestamp {
    /// Bytes that it takes in a record.
    pub(super) const SIZE: usize = 12;

    pub(super) fn now() -> Self {
        // A clock before 1970 is none.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            seconds: since.as_secs(),
            nanos: since.subsec_nanos(),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.seconds.to_le_bytes());
        bytes[8..].copy_from_slice(&self.nanos.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let mut seconds = [0; 8];
        let mut nanos = [0; 4];
        seconds.copy_from_slice(&bytes[..8]);
        nanos.copy_from_slice(&bytes[8..]);
        Self {
            seconds: u64::from_le_bytes(seconds),
            nanos: u32::from_le_bytes(nanos),
        }
    }
}

/// `2026-11-23T12:22:42.254111903Z` (RFC 3339 §5.6).
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.seconds / 86_400);
        let second = self.seconds % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let nanos = self.nanos;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z"
        )
    }
}

/// Year, month and day, `days` after 1970-01-01. Years begin in March here, so that the day a leap
/// year has more is its last one; 400 of them are an era, which always has as many days.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    match month {
        0..10 => (era * 400 + year, month + 3, day),
        _ => (era * 400 + year + 1, month - 9, day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000007Z"),
            (951_782_399, "2000-02-28T23:59:59.000000007Z"),
            (951_782_400, "2000-02-29T00:00:00.000000007Z"),
            (951_868_800, "2000-03-01T00:00:00.000000007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000000007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000007Z"),
        ] {
            let time = Timestamp { seconds, nanos: 7 };
            assert_eq!(time.to_string(), text);
            assert_eq!(Timestamp::from_bytes(time.to_bytes()), time);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = civil(0);
        for days in 1..200_000 {
            let day = civil(days);
            let next = (before.0, before.1, before.2 + 1);
            let first = day.2 == 1 && before.2 >= 28;
            assert!(day == next || first, "{before:?} {day:?}");
            before = day;
        }
    }
}
