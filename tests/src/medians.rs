//! Medians and percentiles of what was measured.

/// The values, ascending, with two places.
pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values
        .map(|value| (value * 100.0).round() / 100.0)
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The middle one of ascending values; of an even number the mean of both.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// The value below which so many in a thousand of the ascending nanoseconds lie, in µs.
pub fn percentile_us(sorted_ns: &[u64], per_mille: usize) -> f64 {
    let last = sorted_ns.len().saturating_sub(1);
    let found = sorted_ns.get((last * per_mille + 500) / 1000);
    found.copied().unwrap_or_default() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&sorted([3.0, 1.0, 2.004].into_iter())), Some(2.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 9.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u64> = (1..=101).map(|number| number * 1000).collect();
        assert_eq!(percentile_us(&values, 500), 51.0);
        assert_eq!(percentile_us(&values, 990), 100.0);
        assert_eq!(percentile_us(&[], 990), 0.0);
    }
}
