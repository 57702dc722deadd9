//! Several divisions of all addresses → the one that has all their borders.

/// All networks of a family side by side, in order: how long each is, and what it is about.
pub(super) type Stream<'a> = Box<dyn Iterator<Item = Result<Part, String>> + 'a>;

/// Bits of a network's prefix, and a number for what was said of it.
pub(super) type Part = (u8, Option<u32>);

/// A stream, and where it is.
struct Reader<'a> {
    stream: Stream<'a>,
    prefix_len: u8,
    /// Where its network ends; none: with the last address.
    end: Option<u128>,
}

/// Calls `take` for every network, in order, of which all addresses are alike in all streams, with
/// what each stream says of it.
pub(super) fn merge(
    streams: Vec<Stream<'_>>,
    mut take: impl FnMut(u8, &[Option<u32>]) -> Result<(), String>,
) -> Result<(), String> {
    let mut values = vec![None; streams.len()];
    let mut readers: Vec<_> = streams
        .into_iter()
        .map(|stream| Reader {
            stream,
            prefix_len: 0,
            end: Some(0),
        })
        .collect();
    let mut position = Some(0);
    while let Some(start) = position {
        let mut prefix_len = 0;
        for (reader, value) in readers.iter_mut().zip(&mut values) {
            if reader.end.is_some_and(|end| end <= start) {
                *value = reader.next(start)?;
            }
            prefix_len = prefix_len.max(reader.prefix_len);
        }
        // Networks lie in each other or side by side: the smallest begins here.
        take(prefix_len, &values)?;
        position = end(start, prefix_len);
    }
    Ok(())
}

impl Reader<'_> {
    /// Goes to the network that begins at `start`; what is said of it.
    fn next(&mut self, start: u128) -> Result<Option<u32>, String> {
        let part = self
            .stream
            .next()
            .ok_or("networks are missing at the end")?;
        let (prefix_len, value) = part?;
        self.prefix_len = prefix_len;
        self.end = end(start, prefix_len);
        Ok(value)
    }
}

/// Where a network ends; `None`: with the last address.
fn end(start: u128, prefix_len: u8) -> Option<u128> {
    let size = 1u128.checked_shl(128 - u32::from(prefix_len))?;
    start.checked_add(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long each network is, and what each stream says of it.
    type Pieces = Vec<(u8, Vec<Option<u32>>)>;

    fn merged(streams: &[&[Part]]) -> Result<Pieces, String> {
        let streams = streams
            .iter()
            .map(|parts| Box::new(parts.iter().copied().map(Ok)) as _);
        let mut parts = Vec::new();
        merge(streams.collect(), |prefix_len, values| {
            parts.push((prefix_len, values.to_vec()));
            Ok(())
        })?;
        Ok(parts)
    }

    #[test]
    fn networks_are_cut_where_any_stream_cuts_them() {
        let one = [(1, Some(1)), (2, None), (2, Some(2))];
        let other = [(2, Some(7)), (2, None), (1, Some(8))];
        let expected = [
            (2, vec![Some(1), Some(7)]),
            (2, vec![Some(1), None]),
            (2, vec![None, Some(8)]),
            (2, vec![Some(2), Some(8)]),
        ];
        assert_eq!(merged(&[&one, &other]).unwrap(), expected);
    }

    #[test]
    fn equal_neighbours_stay_apart() {
        let parts = [(0, Some(1))];
        assert_eq!(merged(&[&parts]).unwrap(), [(0, vec![Some(1)])]);
        let parts = [(1, Some(1)), (1, Some(1))];
        assert_eq!(merged(&[&parts]).unwrap().len(), 2);
    }

    #[test]
    fn a_stream_that_ends_too_early_is_an_error() {
        let parts = [(1, Some(1))];
        assert_eq!(
            merged(&[&parts]).unwrap_err(),
            "networks are missing at the end"
        );
    }
}
