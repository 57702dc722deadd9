//! A zone as it is served.

use super::compile::{CompileError, compile_varied};
use super::image::ZoneImage;
use super::records::ZoneRecords;
use super::variants::Variants;
use std::ops::Deref;
use std::sync::Arc;

/// A zone's image, and what of it depends on where the client is. Clones share both.
#[derive(Clone)]
pub struct ServedZone {
    /// What everybody gets.
    pub image: ZoneImage,
    /// What others get; none: nothing varies.
    pub variants: Option<Arc<Variants>>,
}

impl ServedZone {
    /// Compiles a zone whose checks found no error, beside those of `apexes`, as `compile_beside`
    /// does. The names at `checked`, in lowered wire form, are those whose addresses may be left
    /// out while they are down.
    pub fn compile(
        records: &ZoneRecords,
        apexes: &[&[u8]],
        checked: &[Vec<u8>],
    ) -> Result<Self, CompileError> {
        let variants = Variants::of(records, checked)?;
        let names = variants.as_ref().map(Variants::names).unwrap_or_default();
        let image = compile_varied(records, apexes, &names)?;
        Ok(Self {
            image,
            variants: variants.map(Arc::new),
        })
    }
}

impl From<ZoneImage> for ServedZone {
    fn from(image: ZoneImage) -> Self {
        Self {
            image,
            variants: None,
        }
    }
}

impl Deref for ServedZone {
    type Target = ZoneImage;

    fn deref(&self) -> &ZoneImage {
        &self.image
    }
}
