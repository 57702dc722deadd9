//! `--idle` and the steps of its slowdown.

use super::{ConfigError, ranged};
use crate::idle::Policy;
use serde::Deserialize;
use std::time::Duration;

/// What a worker does when there is nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// Looks again a few times, then sleeps until a packet comes.
    #[default]
    Adaptive,
    /// Looks again, always: the least latency for a whole core.
    Spin,
    /// Pauses, in three steps of growing length (--slowdown-us).
    Slowdown,
}

/// Microseconds of a slowdown's three steps.
pub(super) type Steps = [usize; 3];

/// The original's steps.
const STEPS: Steps = [1, 50, 100];

/// Reads `1,50,100`.
pub(super) fn steps(text: &str) -> Result<Steps, String> {
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let steps = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    steps.ok_or_else(|| format!("{text:?} is not three numbers of microseconds, as in 1,50,100"))
}

/// What the arguments, or else the file, ask for.
pub(super) fn check(
    idle: [Option<Idle>; 2],
    [argument, file]: [Option<Steps>; 2],
) -> Result<Policy, ConfigError> {
    let [given, written] = idle;
    let idle = given.or(written).unwrap_or_default();
    if argument.is_some() && idle != Idle::Slowdown {
        let problem = "has a meaning with --idle slowdown only";
        return Err(ConfigError::option("--slowdown-us", problem));
    }
    let option = match argument {
        Some(_) => "--slowdown-us",
        None => "slowdown_us",
    };
    let mut steps = [Duration::ZERO; 3];
    for (step, value) in steps.iter_mut().zip(argument.or(file).unwrap_or(STEPS)) {
        let microseconds = ranged(option, Some(value), 1..=10_000, value)?;
        *step = Duration::from_micros(microseconds as u64);
    }
    Ok(match idle {
        Idle::Adaptive => Policy::Adaptive,
        Idle::Spin => Policy::Spin,
        Idle::Slowdown => Policy::Slowdown(steps),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Option<Idle> = Some(Idle::Slowdown);

    fn slowdown(microseconds: [u64; 3]) -> Policy {
        Policy::Slowdown(microseconds.map(Duration::from_micros))
    }

    #[test]
    fn the_originals_steps_are_the_default_and_each_layer_goes_before_the_next() {
        let policy = |idle, steps| check(idle, steps).unwrap();
        assert_eq!(policy([None, None], [None, None]), Policy::Adaptive);
        assert_eq!(policy([SLOW, None], [None, None]), slowdown([1, 50, 100]));
        let steps = [Some([2, 3, 10_000]), Some([7, 8, 9])];
        assert_eq!(policy([None, SLOW], steps), slowdown([2, 3, 10_000]));
        let steps = [None, Some([7, 8, 9])];
        assert_eq!(policy([None, SLOW], steps), slowdown([7, 8, 9]));
        // The file may keep steps that the command line makes useless.
        assert_eq!(policy([Some(Idle::Spin), SLOW], steps), Policy::Spin);
    }

    #[test]
    fn steps_out_of_range_and_without_a_slowdown_are_refused() {
        let problem = |idle, steps| check(idle, steps).unwrap_err().to_string();
        assert_eq!(
            problem([SLOW, None], [Some([1, 50, 10_001]), None]),
            "--slowdown-us: 10001 is not within 1–10000"
        );
        assert_eq!(
            problem([None, None], [None, Some([0, 50, 100])]),
            "slowdown_us: 0 is not within 1–10000"
        );
        assert_eq!(
            problem([Some(Idle::Spin), SLOW], [Some([1, 2, 3]), None]),
            "--slowdown-us: has a meaning with --idle slowdown only"
        );
        for bad in ["", "1", "1,2", "1,2,3,4", "1,x,3", "-1,2,3", "1;2;3"] {
            assert!(steps(bad).is_err(), "{bad}");
        }
        assert_eq!(steps("1, 50,100"), Ok([1, 50, 100]));
    }
}
