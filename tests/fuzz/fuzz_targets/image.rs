//! Any changes to a saved image, its checksums set right: it is refused, or answers all questions.
//!
//! The input says which image, and then what changes: an offset in two bytes and the byte for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::zone::image::{ZoneImage, seal};
use ripples::zone::saved::read;
use std::sync::LazyLock;
use tests::answers::world;
use tests::saved::{ask_all, questions, read_mended, saved};

/// A zone's image as a file, and the questions that it is asked.
type Saved = (Vec<u8>, Vec<Vec<u8>>);

/// Each zone of the tests' world.
static FILES: LazyLock<Vec<Saved>> = LazyLock::new(|| {
    let of = |image: &ZoneImage| (saved(image), questions(image));
    world().zones().iter().map(of).collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((zone, changes)) = input.split_first() else {
        return;
    };
    let (file, questions) = &FILES[usize::from(*zone) % FILES.len()];
    let mut hostile = file.clone();
    let mut last = (0, 0);
    for &[high, low, byte] in changes.as_chunks().0 {
        let at = usize::from(u16::from_be_bytes([high, low])) % file.len();
        last = (at, i32::from(byte) - i32::from(hostile[at]));
        hostile[at] = byte;
    }
    seal(&mut hostile);
    // One change of a record may be made up for in its sum.
    let image = match changes.len() {
        3..6 => read_mended(&mut hostile, last.0, last.1),
        _ => read(&hostile),
    };
    if let Ok(image) = image {
        ask_all(image, questions);
    }
});
