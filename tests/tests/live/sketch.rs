//! The space-saving sketch beside exact counts.

use proptest::prelude::*;
use ripples::querylog::{Counted, Sketch};
use std::collections::HashMap;

proptest! {
    /// Skewed, as names are, so that both the frequent and the rare are there.
    #[test]
    fn counts_are_within_their_bounds_and_nobody_frequent_is_missing(
        keys in proptest::collection::vec((0_u32..200).prop_map(|n| n * n / 400), 0..2_000),
        capacity in 1_usize..40,
    ) {
        let mut sketch = Sketch::new(capacity);
        let mut exact: HashMap<Vec<u8>, u64> = HashMap::new();
        for key in &keys {
            let key = key.to_be_bytes();
            sketch.add(&key);
            *exact.entry(key.to_vec()).or_default() += 1;
        }
        let total = keys.len() as u64;
        let bound = total / capacity as u64;
        let all: Vec<Counted<'_>> = sketch.top(usize::MAX).collect();
        prop_assert!(all.len() <= capacity);
        prop_assert_eq!(sketch.total(), total);
        prop_assert_eq!(all.iter().map(|one| one.count).sum::<u64>(), total);
        prop_assert!(all.is_sorted_by(|one, other| one.count >= other.count));
        for one in &all {
            let exactly = exact[one.key];
            prop_assert!(one.count - one.error <= exactly && exactly <= one.count);
            prop_assert!(one.error <= bound);
        }
        for (key, &count) in &exact {
            let is_there = all.iter().any(|one| one.key == key.as_slice());
            prop_assert!(is_there || count <= bound);
        }
    }
}
