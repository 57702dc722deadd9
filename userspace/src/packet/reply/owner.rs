//! Where in a message the owner of the next records is written, and each of its ancestors.

use crate::packet::{HEADER_LEN, Query};
use arrayvec::ArrayVec;

/// Aliases that are followed in one answer.
pub(super) const CHAIN_MAX: usize = 16;

/// A name in a message. Its end may be written elsewhere than its beginning, behind a pointer: then
/// each piece holds the suffixes longer than the piece before it, up to `suffix_len` bytes.
#[derive(Clone)]
pub(super) struct OwnerPlace {
    pieces: ArrayVec<Piece, { CHAIN_MAX + 2 }>,
}

/// Suffixes of at most `suffix_len` bytes begin that far before `end`.
#[derive(Clone, Copy)]
struct Piece {
    suffix_len: usize,
    end: usize,
}

impl OwnerPlace {
    /// The name of the question.
    pub(super) fn in_question(query: &Query) -> Self {
        let mut pieces = ArrayVec::new();
        let suffix_len = usize::from(query.name_len);
        pieces.push(Piece {
            suffix_len,
            end: HEADER_LEN + suffix_len,
        });
        Self { pieces }
    }

    /// A name of `name_len` bytes that is written in full at `at`.
    pub(super) fn written(name_len: usize, at: usize) -> Self {
        let mut pieces = ArrayVec::new();
        pieces.push(Piece {
            suffix_len: name_len,
            end: at + name_len,
        });
        Self { pieces }
    }

    /// A name in two pieces, the shorter suffix first: how long each is, and where it begins.
    pub(super) fn in_pieces(places: [(usize, usize); 2]) -> Self {
        let piece = |(suffix_len, at): (usize, usize)| Piece {
            suffix_len,
            end: at + suffix_len,
        };
        let pieces = places.into_iter().map(piece).collect();
        Self { pieces }
    }

    /// The ancestor with `suffix_len` bytes.
    pub(super) fn shorten(&mut self, suffix_len: usize) {
        let mut pieces = self.pieces.iter();
        if let Some(last) = pieces.position(|piece| piece.suffix_len >= suffix_len) {
            self.pieces.truncate(last + 1);
            self.pieces[last].suffix_len = suffix_len;
        }
    }

    /// The name of `name_len` bytes written at `at`, whose last `shared` bytes are a pointer into
    /// this name.
    pub(super) fn follow(&mut self, name_len: usize, shared: usize, at: usize) {
        if shared == 0 || self.name_len() < shared || self.pieces.is_full() {
            *self = Self::written(name_len, at);
            return;
        }
        self.shorten(shared);
        self.pieces.push(Piece {
            suffix_len: name_len,
            end: at + name_len,
        });
    }

    /// Bytes of the whole name.
    pub(super) fn name_len(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.suffix_len)
    }

    /// Whether this is the name of the question.
    pub(super) fn is_question(&self) -> bool {
        matches!(self.pieces[..], [piece] if piece.end == HEADER_LEN + piece.suffix_len)
    }

    /// Offset in the message of the ancestor with `suffix_len` bytes.
    pub(super) fn position(&self, suffix_len: usize) -> usize {
        let piece = self
            .pieces
            .iter()
            .find(|piece| suffix_len <= piece.suffix_len);
        piece.map_or(HEADER_LEN, |piece| piece.end.saturating_sub(suffix_len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ancestor_of_a_followed_alias_has_its_place() {
        // www.example.com. in the question (17 bytes at 12), alias to a.b.example.com. (15 bytes),
        // "a", "b" and a pointer written at 45.
        let mut place = OwnerPlace::written(17, 12);
        assert!(place.is_question());
        place.follow(17, 13, 45);
        assert!(!place.is_question());
        assert_eq!(
            place.position(13),
            16,
            "example.com. stands in the question"
        );
        assert_eq!(place.position(5), 24, "com. as well");
        assert_eq!(place.position(17), 45, "the alias itself");
        assert_eq!(place.position(15), 47, "its parent");
        // Then to c.com.: all but one label in the question.
        place.follow(7, 5, 90);
        assert_eq!((place.position(7), place.position(5)), (90, 24));
        // To its parent, and to a name that shares nothing.
        place.shorten(5);
        assert_eq!((place.name_len(), place.position(5)), (5, 24));
        place.follow(9, 0, 120);
        assert_eq!((place.position(9), place.position(3)), (120, 126));
        // And by a DNAME record: one label written at 160, before what was written at 140.
        let place = OwnerPlace::in_pieces([(13, 140), (17, 160)]);
        assert_eq!((place.position(17), place.position(13)), (160, 140));
        assert_eq!((place.position(5), place.is_question()), (148, false));
    }
}
