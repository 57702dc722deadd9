//! Load over TCP, and what `bench tcp` measures with it: a generator that is no limit, an echo that
//! is the ceiling, a flood, and a light steady load that notices both.

pub mod echo;
pub mod flood;
pub mod generator;
pub mod line;
pub mod probe;
pub mod questions;
pub mod said;
pub mod stream;

use std::fmt;

/// How many connections, and how many queries are under way on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Connections.
    pub connections: u32,
    /// Queries under way on each: as many, or down to half of them.
    pub pipelined: u16,
}

impl Shape {
    /// Reads it, as in `100x50`.
    ///
    /// # Panics
    /// Where it is none.
    pub fn named(text: &str) -> Self {
        let parts = text.split_once('x');
        let shape = parts.and_then(|(connections, pipelined)| {
            Some(Self {
                connections: connections.parse().ok().filter(|&count| count > 0)?,
                pipelined: pipelined.parse().ok().filter(|&count| count > 0)?,
            })
        });
        shape.unwrap_or_else(|| panic!("{text:?}: connections and queries, as in 100x50"))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.connections, self.pipelined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_as_it_is_shown() {
        let shape = Shape::named("10000x10");
        assert_eq!((shape.connections, shape.pipelined), (10_000, 10));
        assert_eq!(shape.to_string(), "10000x10");
        for wrong in ["", "x", "1x0", "0x1", "1x70000", "100"] {
            assert!(std::panic::catch_unwind(|| Shape::named(wrong)).is_err());
        }
    }
}
