//! Doubly linked lists through a table's indices: constant time, no allocation per change.

/// No element.
const NONE: u32 = u32::MAX;

/// The ends of one list; its links lie in a [`Links`].
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self {
            first: NONE,
            last: NONE,
        }
    }
}

impl List {
    /// The element that was pushed before all others.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }
}

/// An element's neighbours.
#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
}

/// The links of all elements of one table. Each element is in at most one list at a time.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

impl Links {
    /// Appends `index`, which must be in no list, as the newest.
    pub(super) fn push(&mut self, list: &mut List, index: u32) {
        let place = index as usize;
        if place >= self.0.len() {
            let unlinked = Link {
                older: NONE,
                newer: NONE,
            };
            self.0.resize(place + 1, unlinked);
        }
        self.0[place] = Link {
            older: list.last,
            newer: NONE,
        };
        match list.last {
            NONE => list.first = index,
            last => self.0[last as usize].newer = index,
        }
        list.last = index;
    }

    /// Takes `index`, which must be in `list`, out of it.
    pub(super) fn remove(&mut self, list: &mut List, index: u32) {
        let Link { older, newer } = self.0[index as usize];
        match older {
            NONE => list.first = newer,
            older => self.0[older as usize].newer = newer,
        }
        match newer {
            NONE => list.last = older,
            newer => self.0[newer as usize].older = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(links: &mut Links, list: &mut List) -> Vec<u32> {
        std::iter::from_fn(|| {
            let index = list.oldest()?;
            links.remove(list, index);
            Some(index)
        })
        .collect()
    }

    #[test]
    fn elements_come_back_oldest_first_wherever_others_were_removed() {
        for removed in 0..5 {
            let (mut links, mut list) = (Links::default(), List::default());
            for index in [4, 0, 3, 1, 2] {
                links.push(&mut list, index);
            }
            links.remove(&mut list, removed);
            links.push(&mut list, removed);
            let mut expected = vec![4, 0, 3, 1, 2];
            expected.retain(|&index| index != removed);
            expected.push(removed);
            assert_eq!(drain(&mut links, &mut list), expected);
            assert_eq!(list.oldest(), None);
        }
    }

    #[test]
    fn lists_share_their_links() {
        let (mut links, mut odd, mut even) = (Links::default(), List::default(), List::default());
        for index in 0..10 {
            let list = if index % 2 == 0 { &mut even } else { &mut odd };
            links.push(list, index);
        }
        links.remove(&mut odd, 5);
        links.push(&mut even, 5);
        assert_eq!(drain(&mut links, &mut odd), [1, 3, 7, 9]);
        assert_eq!(drain(&mut links, &mut even), [0, 2, 4, 6, 8, 5]);
    }
}
