//! Which name a query asks for: deterministic, and nothing that a prefetcher guesses.

/// How queries are spread over names that are numbered from 0.
#[derive(Clone, Copy)]
pub(crate) enum Spread {
    /// All of them for this one.
    One(u64),
    /// Each as often as any other.
    Uniform(u64),
    /// The n-th most popular one n times as rarely as the first: Zipf's law, exponent 1.
    Zipf(u64),
}

impl Spread {
    /// Numbers without end.
    pub(crate) fn numbers(self) -> Box<dyn Iterator<Item = u64>> {
        match self {
            Self::One(number) => Box::new(std::iter::repeat(number)),
            Self::Uniform(count) => Box::new((0..).map(move |i| stir(i) % count)),
            Self::Zipf(count) => {
                let sums = harmonic_sums(count);
                let last = sums.last().copied().unwrap_or_default();
                Box::new((0..).map(move |i| {
                    let chance = (stir(i) >> 11) as f64 / (1u64 << 53) as f64;
                    let rank = sums.partition_point(|&sum| sum <= chance * last) as u64;
                    // Popular names are not neighbours: a prime moves them apart.
                    rank.min(count - 1).wrapping_mul(982_451_653) % count
                }))
            }
        }
    }
}

/// 1, 1 + 1/2, 1 + 1/2 + 1/3, …
fn harmonic_sums(count: u64) -> Vec<f64> {
    let mut sum = 0.0;
    let next = |rank| {
        sum += 1.0 / rank as f64;
        sum
    };
    (1..=count).map(next).collect()
}

/// Stirs a counter (splitmix64).
pub(crate) fn stir(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
