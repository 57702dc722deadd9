//! What a worker does when there is nothing to do: decided here, without a clock; done there.

use std::time::Duration;

/// Empty turns before an adaptive worker on rings sleeps: some 20 µs, the processor time that
/// falling asleep and being woken takes. To look for longer could cost more than it saves.
pub const PATIENCE_RINGS: u32 = 256;
/// The same on kernel sockets, where an empty turn is a system call on each of them: more looks
/// cost more than they save at every rate.
pub const PATIENCE_SOCKETS: u32 = 8;
/// Empty turns that the first and the second step of a slowdown last, each.
const STEP_TURNS: u32 = 8;

/// What a worker does when there is nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Looks again a few times, then sleeps until a packet comes.
    #[default]
    Adaptive,
    /// Looks again, always.
    Spin,
    /// Pauses after every empty turn: eight times for the first duration, eight times for the
    /// second, then for the third until there is work.
    Slowdown([Duration; 3]),
}

/// What to do before the next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: look again at once.
    Look,
    /// Look again after this time, whatever comes meanwhile.
    Pause(Duration),
    /// Sleep until something comes.
    Sleep,
}

/// How long a worker has had nothing to do, and what follows from it.
#[derive(Clone, Debug)]
pub struct Idle {
    policy: Policy,
    patience: u32,
    empty_turns: u32,
    /// The most frames of a turn since the last sleep.
    burst: u32,
}

impl Idle {
    /// For a worker that has not looked yet, and when adaptive looks again `patience` times; fewer
    /// times after many frames in one turn: what comes in bursts is not back soon.
    pub fn new(policy: Policy, patience: u32) -> Self {
        Self {
            policy,
            patience,
            empty_turns: 0,
            burst: 1,
        }
    }

    /// What to do after a turn of `received` frames.
    pub fn after(&mut self, received: usize) -> Step {
        if received > 0 {
            self.empty_turns = 0;
            self.burst = self.burst.max(u32::try_from(received).unwrap_or(u32::MAX));
            return Step::Look;
        }
        self.empty_turns = self.empty_turns.saturating_add(1);
        match self.policy {
            Policy::Spin => Step::Look,
            Policy::Adaptive if self.empty_turns <= self.patience / self.burst => Step::Look,
            Policy::Adaptive => {
                self.empty_turns = 0;
                self.burst = 1;
                Step::Sleep
            }
            Policy::Slowdown([one, two, three]) => Step::Pause(match self.empty_turns {
                ..=STEP_TURNS => one,
                turns if turns <= 2 * STEP_TURNS => two,
                _ => three,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: u32 = 20;

    fn steps(policy: Policy, turns: &[usize]) -> Vec<Step> {
        let mut idle = Idle::new(policy, PATIENCE);
        turns.iter().map(|&received| idle.after(received)).collect()
    }

    #[test]
    fn a_spinning_worker_never_rests() {
        let steps = steps(Policy::Spin, &[0; 100_000]);
        assert!(steps.iter().all(|&step| step == Step::Look));
    }

    #[test]
    fn an_adaptive_worker_looks_again_before_each_sleep() {
        let patience = PATIENCE as usize;
        let quiet = steps(Policy::Adaptive, &vec![0; 2 * patience + 2]);
        for (at, &step) in quiet.iter().enumerate() {
            let sleeps = at % (patience + 1) == patience;
            let expected = if sleeps { Step::Sleep } else { Step::Look };
            assert_eq!(step, expected, "turn {at}");
        }
        let mut turns = vec![0; patience];
        turns.push(1);
        turns.extend(vec![0; patience]);
        let interrupted = steps(Policy::Adaptive, &turns);
        assert!(interrupted.iter().all(|&step| step == Step::Look));
    }

    #[test]
    fn after_a_burst_an_adaptive_worker_is_less_patient_until_it_has_slept() {
        let patience = PATIENCE as usize;
        let mut turns = vec![1, 10, 1];
        turns.extend(vec![0; patience + 4]);
        let steps = steps(Policy::Adaptive, &turns);
        let sleeps = (0..).zip(&steps).filter(|(_, step)| **step == Step::Sleep);
        let sleeps: Vec<usize> = sleeps.map(|(at, _)| at).collect();
        assert_eq!(
            sleeps,
            [3 + patience / 10, 3 + patience / 10 + patience + 1]
        );
    }

    #[test]
    fn a_slowdown_has_three_steps_and_work_starts_it_anew() {
        let [one, two, three] = [1, 50, 100].map(Duration::from_micros);
        let policy = Policy::Slowdown([one, two, three]);
        let mut turns = vec![0; 1000];
        turns.push(7);
        turns.push(0);
        let steps = steps(policy, &turns);
        for (range, pause) in [(0..8, one), (8..16, two), (16..1000, three)] {
            for (at, &step) in steps[range.clone()].iter().enumerate() {
                assert_eq!(step, Step::Pause(pause), "turn {}", range.start + at);
            }
        }
        assert_eq!(steps[1000..], [Step::Look, Step::Pause(one)]);
    }
}
