//! What is most frequent in a stream, in bounded memory: the space-saving algorithm of Metwally,
//! Agrawal and El Abbadi (Efficient computation of frequent and top-k elements in data streams,
//! 2005).
//!
//! Who is new takes the place of the rarest, and its count as well: that much it may be too high.
//! So of `capacity` counters over `total` items none is too high by more than `total / capacity`,
//! none is too low, and every key with more than that many items has one.

use std::collections::HashMap;
use std::sync::Arc;

/// Counters of the most frequent keys.
pub struct Sketch {
    capacity: usize,
    total: u64,
    counters: Vec<Counter>,
    /// The counters by number, the highest count first: what the paper's summary is a list for.
    order: Vec<usize>,
    index: HashMap<Arc<[u8]>, usize>,
}

/// A key and how often it was there.
struct Counter {
    key: Arc<[u8]>,
    count: u64,
    error: u64,
    /// Where it is in the order.
    place: usize,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'s> {
    /// It.
    pub key: &'s [u8],
    /// It was there so often at most.
    pub count: u64,
    /// By so much that may be too high.
    pub error: u64,
}

impl Sketch {
    /// With so many counters, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            total: 0,
            counters: Vec::new(),
            order: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Counts a key once more.
    pub fn add(&mut self, key: &[u8]) {
        self.total += 1;
        let number = match self.index.get(key) {
            Some(&number) => number,
            None if self.counters.len() < self.capacity => self.open(key),
            None => self.replace(key),
        };
        self.raise(number);
    }

    /// Items that were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The most frequent keys, the first the most.
    pub fn top(&self, count: usize) -> impl Iterator<Item = Counted<'_>> {
        self.order.iter().take(count).map(|&number| {
            let Counter {
                key, count, error, ..
            } = &self.counters[number];
            let (count, error) = (*count, *error);
            Counted { key, count, error }
        })
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// A counter for a key that has none.
    fn open(&mut self, key: &[u8]) -> usize {
        let (number, key) = (self.counters.len(), Arc::<[u8]>::from(key));
        self.index.insert(Arc::clone(&key), number);
        self.counters.push(Counter {
            key,
            count: 0,
            error: 0,
            place: number,
        });
        self.order.push(number);
        number
    }

    /// The counter of the rarest key, from now on for this one.
    fn replace(&mut self, key: &[u8]) -> usize {
        let number = self.order[self.order.len() - 1];
        let counter = &mut self.counters[number];
        self.index.remove(&counter.key);
        counter.key = key.into();
        counter.error = counter.count;
        self.index.insert(Arc::clone(&counter.key), number);
        number
    }

    /// Adds one, and keeps the order: it changes places with the first of those that have as many.
    fn raise(&mut self, number: usize) {
        let Counter { count, place, .. } = self.counters[number];
        let counters = &self.counters;
        let has_more = |other: &usize| counters[*other].count > count;
        let first = self.order.partition_point(has_more);
        self.order.swap(first, place);
        self.counters[self.order[place]].place = place;
        self.counters[number].place = first;
        self.counters[number].count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sketch: &Sketch, count: usize) -> Vec<(&[u8], u64, u64)> {
        let top = sketch.top(count);
        top.map(|one| (one.key, one.count, one.error)).collect()
    }

    #[test]
    fn as_long_as_there_is_room_counts_are_exact() {
        let mut sketch = Sketch::new(3);
        for key in ["a", "b", "c", "b", "c", "c"] {
            sketch.add(key.as_bytes());
        }
        let all = told(&sketch, 9);
        assert_eq!(all, [(&b"c"[..], 3, 0), (b"b", 2, 0), (b"a", 1, 0)]);
        assert_eq!((told(&sketch, 1).len(), sketch.total()), (1, 6));
        sketch.clear();
        assert_eq!((told(&sketch, 9), sketch.total()), (vec![], 0));
    }

    #[test]
    fn who_is_new_takes_the_place_of_the_rarest_and_says_so() {
        let mut sketch = Sketch::new(2);
        for key in ["a", "a", "a", "b", "b", "c"] {
            sketch.add(key.as_bytes());
        }
        assert_eq!(told(&sketch, 2), [(&b"a"[..], 3, 0), (b"c", 3, 2)]);
    }
}
