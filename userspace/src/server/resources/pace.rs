//! Loading without standing in anybody's way, for as long as it gets on.

use crate::sys::priority::{self, GivingWay};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder};
use std::time::Duration;

/// How often it is looked whether the work gets on.
const LOOK: Duration = Duration::from_nanos(LOOK_NS);
const LOOK_NS: u64 = 100_000_000;

/// Work gets on while it waits no longer for a CPU than this many times what it runs.
const WAIT_FACTOR: u64 = 3;

/// Does work for which nobody waits as clients wait for answers.
#[derive(Debug, Default)]
pub(super) struct Pace {
    may_give_way: bool,
}

impl Pace {
    /// Takes the calling thread, and those that it starts, behind all of normal priority.
    pub(super) fn step_back(&mut self) {
        if let Err(error) = priority::step_back() {
            tracing::debug!(%error, "the resource thread keeps its priority");
        }
        self.may_give_way = priority::may_come_back();
    }

    /// Does `work` on the calling thread and those that it starts, on CPUs that have nothing else
    /// to do; with the share of who has stepped back where there are none.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.may_give_way {
            return work();
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let watch = || bring_back_the_starving(&done);
            // It is started first, because it must not give way itself.
            let watch = Builder::new()
                .name("pace".to_owned())
                .spawn_scoped(scope, watch);
            let given_way = watch.is_ok() && priority::give_way().is_ok();
            let result = work();
            done.store(true, Ordering::Relaxed);
            if let Ok(watch) = watch {
                watch.thread().unpark();
            }
            if given_way && let Err(error) = priority::step_back() {
                tracing::warn!(%error, "the resource thread gives way to all others from now on");
            }
            result
        })
    }
}

/// Until the work is done, looks whether those who give way ever come to run.
fn bring_back_the_starving(done: &AtomicBool) {
    let mut before = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let now = GivingWay::all().unwrap_or_default();
        if starve(&before, &now) {
            for one in &now {
                if let Err(error) = one.bring_back() {
                    tracing::debug!(%error, "a loading thread goes on waiting for an idle CPU");
                }
            }
        }
        before = now;
        thread::park_timeout(LOOK);
    }
}

/// Whether those who are in both looks, one `LOOK` apart, waited too much meanwhile: their times
/// are of their whole lives, and threads come and go.
fn starve(before: &[GivingWay], now: &[GivingWay]) -> bool {
    let (mut run_ns, mut waited_ns) = (0, 0);
    for now in now {
        let Some(before) = before.iter().find(|before| before.thread == now.thread) else {
            continue;
        };
        let own_run_ns = now.run_ns.saturating_sub(before.run_ns);
        run_ns += own_run_ns;
        // The kernel adds up what was waited when the waiting is over; this one still waits.
        waited_ns += match now.is_ready && own_run_ns == 0 {
            true => LOOK_NS,
            false => now.waited_ns.saturating_sub(before.waited_ns),
        };
    }
    waited_ns > LOOK_NS / 2 && waited_ns > WAIT_FACTOR * run_ns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::cpu;
    use std::time::Instant;

    fn gives_way() -> bool {
        let all = GivingWay::all().unwrap();
        all.iter().any(GivingWay::is_this_thread)
    }

    #[test]
    fn who_waits_longer_than_it_runs_starves_whatever_was_before() {
        let ms: u64 = 1_000_000;
        let at = |thread, run_ms, waited_ms, is_ready| GivingWay {
            thread,
            run_ns: run_ms * ms,
            waited_ns: waited_ms * ms,
            is_ready,
        };
        let before = [at(1, 1000, 90_000, true), at(2, 90_000, 0, true)];
        for (now, starves) in [
            (
                vec![at(1, 1090, 90_010, true), at(2, 90_090, 10, true)],
                false,
            ),
            (
                vec![at(1, 1010, 90_090, true), at(2, 90_010, 90, true)],
                true,
            ),
            // Not a moment: nobody has added up yet what it waited.
            (vec![at(1, 1000, 90_000, true)], true),
            // It waits for something else than a CPU.
            (vec![at(1, 1000, 90_000, false)], false),
            (vec![at(3, 0, 90_000, true)], false),
            (Vec::new(), false),
        ] {
            assert_eq!(starve(&before, &now), starves, "{now:?}");
        }
        assert!(!starve(&[], &before), "nobody is judged by its whole life");
    }

    #[test]
    fn work_gives_way_until_it_starves() {
        let busy = AtomicBool::new(true);
        let cpu = cpu::allowed().unwrap()[0];
        thread::scope(|scope| {
            scope.spawn(|| {
                cpu::pin(cpu).unwrap();
                while busy.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let work = || {
                let mut pace = Pace::default();
                pace.step_back();
                if !pace.may_give_way {
                    eprintln!("skipped: needs CAP_SYS_NICE");
                    assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
                    return;
                }
                pace.run(|| {
                    assert!(gives_way());
                    cpu::pin(cpu).unwrap();
                    let start = Instant::now();
                    while gives_way() {
                        assert!(start.elapsed() < Duration::from_secs(60), "it starves");
                    }
                });
                pace.run(|| assert!(gives_way(), "the next work gives way again"));
                assert!(!gives_way());
            };
            let worked = scope.spawn(work).join();
            busy.store(false, Ordering::Relaxed);
            worked.unwrap();
        });
    }
}
