//! What the core is to reach, in nanoseconds per packet with the usual vector.

/// The case, whether on the portable path, what it must reach, and what it should.
const MARKS: &[(&str, bool, f64, f64)] = &[
    ("hot", false, 40.0, 26.0),
    ("1M uniform", false, 75.0, 55.0),
    ("10M uniform", false, 85.0, 60.0),
    ("1M Zipf", false, 55.0, 40.0),
    ("1M nxdomain", false, 75.0, 50.0),
    ("hot", true, 55.0, 40.0),
    ("1M uniform", true, 100.0, 80.0),
];
/// The marks' prototype had EDNS in half of its queries: they hold for such cases too.
const WITH_EDNS: &str = ", EDNS in half";
/// The vector of the marks.
const VECTOR: u64 = 64;

/// How many times as long as without a query log, the usual packets may take with one.
const QUERY_LOG_RATIO: f64 = 1.15;

/// The ratio that something extra must keep; none: it has no mark.
pub(super) fn of_extra(extra: &str) -> Option<f64> {
    (extra == "query log").then_some(QUERY_LOG_RATIO)
}

/// What a case must reach, and what it should.
pub(super) fn of(case: &str, level: &str, vector: u64) -> Option<[f64; 2]> {
    let case = case.strip_suffix(WITH_EDNS).unwrap_or(case);
    let is_portable = level == "portable";
    let found = MARKS
        .iter()
        .find(|mark| (mark.0, mark.1) == (case, is_portable))?;
    (vector == VECTOR).then_some([found.2, found.3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_for_the_usual_vector_and_one_level() {
        assert_eq!(of("hot", "avx512", 64), Some([40.0, 26.0]));
        assert_eq!(of("hot, EDNS in half", "portable", 64), Some([55.0, 40.0]));
        assert_eq!(of("hot", "avx512", 32), None);
        assert_eq!(of("hot, IPv6", "avx512", 64), None);
        assert_eq!(of("1M Zipf", "portable", 64), None);
    }
}
