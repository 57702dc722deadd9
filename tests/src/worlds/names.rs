//! Random names: short, colliding, and now and then extreme.

use crate::name::Name;
use proptest::prelude::*;
use proptest::sample::Index;

/// A label of a random name.
pub(super) type Label = Vec<u8>;

/// A name below one of the zones, or outside of all.
#[derive(Clone, Debug)]
pub(super) struct RawName {
    zone: Index,
    is_outside: bool,
    labels: Vec<Label>,
}

impl RawName {
    /// The name, below one of `origins`.
    pub(super) fn below(&self, origins: &[Name]) -> Name {
        if self.is_outside {
            return legal(&self.labels, &Name::parse("elsewhere.invalid."));
        }
        legal(&self.labels, self.zone.get(origins))
    }
}

/// The labels in front of `origin`, as many as make a legal name.
pub(super) fn legal(labels: &[Label], origin: &Name) -> Name {
    let mut labels = labels;
    loop {
        let name = Name::of(labels.iter().chain(origin.labels()).cloned());
        if name.is_legal() {
            return name;
        }
        // The shortest way to a legal name is the front's.
        labels = &labels[1..];
    }
}

/// A label: mostly one of a few.
pub(super) fn label() -> impl Strategy<Value = Label> {
    let usual = prop::sample::select(vec!["a", "b", "sub", "ns", "A", "c"]);
    let odd: Vec<&[u8]> = vec![
        b"x.y", b"\0\xff", b"_tcp", b"\"", b" ;(", b"@", b"\x01*", b"[`{",
    ];
    prop_oneof![
        14 => usual.prop_map(|label| label.as_bytes().to_vec()),
        4 => Just(b"*".to_vec()),
        1 => prop::sample::select(odd).prop_map(<[u8]>::to_vec),
        1 => Just(vec![b'l'; 63]),
        1 => prop::collection::vec(any::<u8>(), 1..20),
    ]
}

/// Labels below an apex: seldom many.
pub(super) fn labels() -> impl Strategy<Value = Vec<Label>> {
    prop_oneof![
        30 => prop::collection::vec(label(), 0..4),
        2 => prop::collection::vec(label(), 4..12),
        1 => prop::collection::vec(Just(b"d".to_vec()), 100..127),
    ]
}

/// A name near the zones.
pub(super) fn name() -> impl Strategy<Value = RawName> {
    (any::<Index>(), prop::bool::weighted(0.05), labels()).prop_map(|(zone, is_outside, labels)| {
        RawName {
            zone,
            is_outside,
            labels,
        }
    })
}
