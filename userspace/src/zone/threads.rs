//! Work that threads share: whoever is free takes the next piece.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` for all numbers below `count`, on at most so many threads, this one among them.
/// Returns what came of it, in order; where a thread panicked, its results are missing.
pub(super) fn share<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<(usize, T)> {
    let next = AtomicUsize::new(0);
    let take = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let numbers = numbers.take_while(|&number| number < count);
        numbers.map(|number| (number, work(number))).collect()
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(take)).collect();
        let mut done: Vec<(usize, T)> = take();
        for other in others {
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    done.sort_unstable_by_key(|&(number, _)| number);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_and_comes_in_order() {
        for threads in 1..5 {
            for count in [0, 1, 3, 100] {
                let done = share(count, threads, |number| number * 2);
                assert_eq!(done, (0..count).map(|n| (n, n * 2)).collect::<Vec<_>>());
            }
        }
    }
}
