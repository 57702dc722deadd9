//! The labels of a name, for the search of its ancestors.

/// Where the labels of a name begin.
pub struct Labels<'n> {
    /// The name, and what stands behind it.
    front: &'n [u8],
    len: usize,
    starts: [u8; 128],
    count: usize,
}

impl<'n> Labels<'n> {
    /// Walks a well-formed name.
    pub fn of(name: &'n [u8]) -> Self {
        Self::of_front(name, name.len())
    }

    /// Walks the well-formed name that the first `len` bytes are.
    pub fn of_front(front: &'n [u8], len: usize) -> Self {
        let mut labels = Self {
            front,
            len,
            starts: [0; 128],
            count: 0,
        };
        let mut at = 0;
        while let Some(&length) = front.get(at)
            && length != 0
            && labels.count < 127
        {
            labels.count += 1;
            at += 1 + usize::from(length);
            labels.starts[labels.count] = u8::try_from(at).unwrap_or(u8::MAX);
        }
        labels
    }

    /// How many there are, the root's not counted.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The ancestor with `depth` labels, `depth` ≤ count.
    pub fn suffix(&self, depth: usize) -> &'n [u8] {
        let (front, len) = self.suffix_front(depth);
        &front[..len]
    }

    /// The same with what stands behind it, and its length.
    pub fn suffix_front(&self, depth: usize) -> (&'n [u8], usize) {
        let start = usize::from(self.starts[self.count - depth]);
        (&self.front[start..], self.len - start)
    }
}
