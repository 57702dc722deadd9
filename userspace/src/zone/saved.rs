//! Saved images: files that `ripples compile` wrote, mapped and served.

use super::buffer::Buffer;
use super::image::{Flaw, ZoneImage, is_image, validate};
use super::load::{Apexes, Loaded};
use super::progress::Effort;
use crate::config::ZoneSource;
use crate::name;
use crate::sys::mapping::Mapping;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Shorter files are copied: then nothing that happens to the file matters.
const MAPPED_FROM: u64 = 1 << 20;

/// Loads a zone from a saved image; `None` when the file is none, and then nothing was taken from
/// it. `apexes` are those of the zones below that are served as well.
pub(super) fn load(
    file: &File,
    source: &ZoneSource,
    apexes: &[&[u8]],
    effort: Effort<'_>,
) -> Option<Loaded> {
    let mut start = [0; 8];
    file.read_exact_at(&mut start, 0).ok()?;
    if !is_image(&start) {
        return None;
    }
    let image = bytes(file)
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            effort.progress.add(bytes.len(), 0);
            open(bytes, effort.threads).map_err(|flaw| flaw.to_string())
        })
        .and_then(|image| of_origin(image, &source.origin));
    let path = source.file.display();
    let files = vec![source.file.clone()];
    Some(match image {
        Err(problem) => Loaded {
            image: Err(vec![format!("{path}: {problem}")]),
            warnings: Vec::new(),
            files,
        },
        Ok(image) => {
            let warning = others_below(&image, apexes);
            let warnings = warning.map(|warning| format!("{path}: warning: {warning}"));
            Loaded {
                warnings: warnings.into_iter().collect(),
                image: Ok(image.into()),
                files,
            }
        }
    })
}

/// The bytes of a file, aligned to cache lines.
fn bytes(file: &File) -> io::Result<Bytes> {
    let len = file.metadata()?.len();
    let bytes = usize::try_from(len).map_err(io::Error::other)?;
    if len >= MAPPED_FROM {
        return Mapping::new(file, bytes).map(Bytes::from_owner);
    }
    let mut copy = vec![0; bytes];
    file.read_exact_at(&mut copy, 0)?;
    Ok(aligned(&copy))
}

/// A copy that is aligned to cache lines.
fn aligned(bytes: &[u8]) -> Bytes {
    let mut buffer = Buffer::with_capacity(bytes.len());
    buffer.extend(bytes);
    buffer.freeze().slice(..bytes.len())
}

/// Validates the bytes of a file, which are aligned to cache lines.
fn open(bytes: Bytes, threads: usize) -> Result<ZoneImage, Flaw> {
    validate(&bytes, threads)?;
    Ok(ZoneImage::new(bytes))
}

/// Reads the bytes of a file.
pub fn read(file: &[u8]) -> Result<ZoneImage, Flaw> {
    open(aligned(file), 1)
}

fn of_origin(image: ZoneImage, origin: &[u8]) -> Result<ZoneImage, String> {
    let apex = image.apex().name();
    if apex == origin {
        return Ok(image);
    }
    let (apex, origin) = (name::display(apex), name::display(origin));
    Err(format!("this is the image of {apex}, not of {origin}"))
}

/// What to say when the image was compiled beside other zones below than it is served beside: it
/// has addresses of theirs, or lacks its own.
fn others_below(image: &ZoneImage, apexes: &[&[u8]]) -> Option<String> {
    let compiled: Vec<&[u8]> = image.saved()?.nested().collect();
    let shown = |names: &[&[u8]], others: &[&[u8]]| {
        let names = names.iter().filter(|name| !others.contains(name));
        let names: Vec<_> = names.map(|name| name::display(name).to_string()).collect();
        names.join(", ")
    };
    let (missing, added) = (shown(&compiled, apexes), shown(apexes, &compiled));
    let what = match (missing.as_str(), added.as_str()) {
        ("", "") => return None,
        ("", added) => format!("it was compiled without {added}"),
        (missing, "") => format!("it was compiled beside {missing}"),
        (missing, added) => format!("it was compiled beside {missing} and without {added}"),
    };
    let advice = "addresses beside its answers may differ: run `ripples compile` with all zones";
    Some(format!("{what}; {advice}"))
}

/// The names of the zones below one, as `write` wants them.
pub struct Below<'s>(Apexes<'s>);

impl<'s> Below<'s> {
    /// Knows these zones.
    pub fn of(sources: &'s [ZoneSource]) -> Self {
        Self(Apexes::of(sources))
    }

    /// Saves the image of one of them under the key that `seed` makes; returns how many bytes.
    pub fn write(&self, image: &ZoneImage, seed: [u64; 3], into: impl Write) -> io::Result<u64> {
        super::image::write(image, seed, self.0.below(image.apex().name()), into)
    }
}
