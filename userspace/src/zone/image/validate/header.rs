//! The image's header, the file's trailer, and whether all parts fit into the file.

use super::super::file::{Saved, TRAILER_LEN, TRAILER_MAGIC};
use super::super::{IMAGE_HEADER_LEN, ImageHeader, MAGIC};
use super::{Flaw, demand, is_image, place};
use crate::name;
use crate::simd::BLOCK_LEN;
use crate::zone::buffer::LINE;
use crate::zone::check::ITERATIONS_MAX;

/// More records than any image has.
const RECORD_COUNT_MAX: u64 = 1 << 40;

/// A file's parts.
pub(super) struct Parts<'i> {
    pub(super) header: &'i ImageHeader,
    pub(super) saved: Saved<'i>,
    /// Where walks may begin, and behind the last node.
    pub(super) bounds: Vec<usize>,
}

/// Offset behind the nodes.
pub(super) fn nodes_end(header: &ImageHeader) -> usize {
    usize::try_from(header.nodes_end).unwrap_or(usize::MAX)
}

/// Looks at what says where everything is.
pub(super) fn check(file: &[u8]) -> Result<Parts<'_>, Flaw> {
    magic(file)?;
    let is_whole = file.len() >= IMAGE_HEADER_LEN + TRAILER_LEN && file.len().is_multiple_of(LINE);
    demand(is_whole, file.len(), "the file is cut short")?;
    let header: &ImageHeader = bytemuck::try_from_bytes(&file[..IMAGE_HEADER_LEN])
        .map_err(|error| Flaw::new(0, error.to_string()))?;
    let trailer_at = file.len() - TRAILER_LEN;
    let has_end = file[trailer_at..].starts_with(&TRAILER_MAGIC);
    demand(
        has_end,
        trailer_at,
        "the file is cut short: its end is missing",
    )?;
    let len = usize::try_from(header.len).unwrap_or(usize::MAX);
    let is_len = len.is_multiple_of(LINE) && (IMAGE_HEADER_LEN..=trailer_at).contains(&len);
    demand(is_len, 8, "the image is longer than the file")?;
    let saved = Saved::of(&file[len..]);
    let saved = saved.ok_or_else(|| Flaw::new(trailer_at, "the parts do not fill the file"))?;
    let is_len = saved.trailer.file_len == file.len() as u64;
    demand(is_len, file.len() - 16, "the file has another length")?;
    demand(
        saved.trailer.reserved == 0,
        file.len() - 20,
        "a reserved field is used",
    )?;
    fields(header, len)?;
    let is_count = saved.trailer.name_count == header.node_count;
    demand(
        is_count,
        trailer_at + 32,
        "the number of hashes is not that of the names",
    )?;
    nested(&saved, trailer_at)?;
    let bounds = bounds(&saved, header, len)?;
    Ok(Parts {
        header,
        saved,
        bounds,
    })
}

fn magic(file: &[u8]) -> Result<(), Flaw> {
    let start = file.first_chunk().filter(|start| is_image(start));
    match start {
        None => Err(Flaw::new(0, "this is no saved image")),
        Some(start) if *start != MAGIC => {
            let [version, known] = [start[7], MAGIC[7]];
            let what = format!(
                "the image is of version {version}, and this server knows {known}: run \
                 `ripples compile` again"
            );
            Err(Flaw::new(7, what))
        }
        Some(_) => Ok(()),
    }
}

/// The header's numbers, as far as the nodes do not say more.
fn fields(header: &ImageHeader, len: usize) -> Result<(), Flaw> {
    let end = nodes_end(header);
    let is_end = end.is_multiple_of(8) && end > IMAGE_HEADER_LEN && end <= len;
    demand(is_end, 32, "the nodes run over the image")?;
    let chain = (header.chain_len as usize).checked_mul(12);
    let behind = chain.and_then(|chain| end.checked_add(chain));
    let behind = behind.and_then(|at| at.checked_add(usize::from(header.nsec3_salt_len)));
    let fits = behind.is_some_and(|at| at <= len && len - at >= BLOCK_LEN);
    demand(fits, 56, "the denial chain runs over the image")?;
    let is_kind = header.denial <= 2 && (header.denial != 0 || header.chain_len == 0);
    demand(is_kind, 51, "the zone denies in an unknown way")?;
    demand(
        header.nsec3_iterations <= ITERATIONS_MAX,
        60,
        "too many NSEC3 iterations",
    )?;
    demand(header.reserved == 0, 63, "a reserved field is used")?;
    demand(
        header.apex as usize * 8 == IMAGE_HEADER_LEN,
        16,
        "the apex is not the first node",
    )?;
    demand(
        header.record_count <= RECORD_COUNT_MAX,
        40,
        "too many records",
    )
}

fn nested(saved: &Saved<'_>, trailer_at: usize) -> Result<(), Flaw> {
    let len: usize = saved.nested().map(<[u8]>::len).sum();
    let mut names = saved.nested();
    let is_lowered = names.all(|name| !name.iter().any(u8::is_ascii_uppercase));
    let is_sound = len == saved.nested_bytes().len() && is_lowered;
    demand(is_sound, trailer_at + 40, "the zones below are no names")?;
    let mut names = saved.nested().zip(saved.nested().skip(1));
    let in_order = names.all(|(one, next)| name::canonical_cmp_lowercase(one, next).is_lt());
    demand(
        in_order,
        trailer_at + 40,
        "the zones below are not in order",
    )
}

/// Nodes at which walks may begin, in order. That nodes begin there is seen by the walk before.
fn bounds(saved: &Saved<'_>, header: &ImageHeader, len: usize) -> Result<Vec<usize>, Flaw> {
    let at = len + saved.hashes.len() * 12;
    let end = nodes_end(header);
    let mut bounds = vec![IMAGE_HEADER_LEN];
    let mut last = IMAGE_HEADER_LEN;
    for restart in saved.restarts.iter().map(place) {
        demand(
            last < restart && restart < end,
            at,
            "a part begins at no node",
        )?;
        bounds.push(restart);
        last = restart;
    }
    bounds.push(end);
    Ok(bounds)
}
