//! `$VARIANT`: the records behind it are for the clients of a region.
//!
//! ```text
//! $VARIANT [map=NAME] REGION [weight=N] [fallback=REGION[,REGION…]]
//! $VARIANT                              records for everybody again
//! ```
//!
//! While one is open, records go to a builder of its own: nothing is asked per record.

use super::failure::Failure;
use super::lexer::Lexer;
use super::reader::{FileState, Reader};
use crate::zone::error::Problems;
use crate::zone::records::{Builder, Full};
use crate::zone::variants::{Block, Blocks, WEIGHT_MAX};

/// The variants that were read, and the one that is open.
pub(super) struct Variants {
    blocks: Blocks,
    open: Option<Open>,
    /// The map of the last block.
    map: Option<Box<str>>,
}

/// A block that is being read.
struct Open {
    number: u32,
    /// How deep in included files it was opened.
    depth: usize,
    /// Takes the records for everybody when the block has ended.
    parked: Builder,
}

/// What a `$VARIANT` line says, without its place.
struct Words {
    region: Option<Box<str>>,
    map: Option<Box<str>>,
    weight: u32,
    fallbacks: Box<[Box<str>]>,
    /// Offset of the region's name.
    at: usize,
}

impl Variants {
    pub(super) fn new(zone: &[u8]) -> Self {
        Self {
            blocks: Blocks::new(zone),
            open: None,
            map: None,
        }
    }

    /// Records that do not go to the builder that the reader has now.
    pub(super) fn record_count(&self) -> usize {
        let parked = self.open.as_ref().map(|open| open.parked.record_count());
        parked.unwrap_or(0)
    }

    /// The depth at which the open block was opened.
    fn depth(&self) -> Option<usize> {
        self.open.as_ref().map(|open| open.depth)
    }

    /// Ends the open block: `builder` takes the records for everybody again.
    fn close(&mut self, builder: &mut Builder, problems: &mut Problems) -> Result<(), Full> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let block = std::mem::replace(builder, open.parked);
        let records = block.finish(1, problems)?;
        self.blocks.members_mut().add_all(open.number, &records);
        *builder.lines() = records.into_lines();
        Ok(())
    }

    /// All blocks, when the zone has been read; `None` if there are none.
    pub(super) fn finish(self, builder: &mut Builder) -> Option<Blocks> {
        let lines = builder.lines().clone();
        (!self.blocks.is_empty()).then(|| self.blocks.complete(lines))
    }
}

impl Reader<'_> {
    /// Follows the directive, whose name was taken already.
    pub(super) fn variant(
        &mut self,
        lexer: &mut Lexer<'_>,
        file: &FileState,
    ) -> Result<(), Failure> {
        let directive_at = lexer.token_start();
        let depth = self.depth();
        let Some(variants) = &self.variants else {
            return Err(Failure::new("a chunk has no $VARIANT: read in order"));
        };
        if variants.depth().is_some_and(|open| open < depth) {
            let message = "a file that is included within a variant has no $VARIANT itself";
            return Err(Failure::at(directive_at, message));
        }
        let words = Words::read(lexer, variants.map.as_deref())?;
        let (line, column) = lexer.position(words.as_ref().map(|words| words.at));
        lexer.end_entry()?;
        self.close_variant(file.line)?;
        let (Some(words), Some(variants)) = (words, &mut self.variants) else {
            return Ok(());
        };
        variants.map.clone_from(&words.map);
        let number = self.builder.lines().number(file.line.saturating_add(line));
        let block = Block {
            region: words.region,
            map: words.map,
            weight: words.weight,
            fallbacks: words.fallbacks,
            place: self.builder.lines().place(number, column),
        };
        let number = variants.blocks.add(block);
        let fresh = Builder::new(&self.zone, self.builder.take_lines(), 0);
        let parked = std::mem::replace(&mut self.builder, fresh);
        self.is_in_variant = true;
        variants.open = Some(Open {
            number,
            depth,
            parked,
        });
        Ok(())
    }

    /// Ends the open block, if there is one.
    pub(super) fn close_variant(&mut self, line: u32) -> Result<(), Failure> {
        let Some(variants) = &mut self.variants else {
            return Ok(());
        };
        self.is_in_variant = false;
        let closed = variants.close(&mut self.builder, &mut self.problems);
        closed.map_err(|full| self.stop_at(line, full))
    }

    /// Ends the block that the file which ends here has opened.
    pub(super) fn close_variant_of_file(&mut self, line: u32) -> Result<(), Failure> {
        let variants = self.variants.as_ref();
        match variants.and_then(Variants::depth) == Some(self.depth()) {
            true => self.close_variant(line),
            false => Ok(()),
        }
    }
}

impl Words {
    /// Reads what stands behind `$VARIANT`; `None`: nothing does.
    fn read(lexer: &mut Lexer<'_>, map: Option<&str>) -> Result<Option<Self>, Failure> {
        if !lexer.has_token()? {
            return Ok(None);
        }
        let (mut region, mut weight, mut fallbacks) = (None, None, None);
        let mut new_map = None;
        while lexer.has_token()? {
            let raw = lexer.token()?.raw;
            let text = str::from_utf8(raw).map_err(|_| Failure::new("this is not UTF-8"))?;
            let is_first = match text.split_once('=') {
                None => region.replace((text, lexer.token_start())).is_none(),
                Some(("map", name)) => new_map.replace(filled(name)?).is_none(),
                Some(("weight", number)) => weight.replace(weight_of(number)?).is_none(),
                Some(("fallback", names)) => fallbacks.replace(list(names)?).is_none(),
                Some((word, _)) => {
                    let message = format!("`{word}` is none of map, weight, fallback");
                    return Err(Failure::new(message));
                }
            };
            if !is_first {
                return Err(Failure::new(format!("`{text}` is one too many here")));
            }
        }
        let Some((region, at)) = region else {
            return Err(Failure::new(
                "a region is missing: its name, or `*` for any",
            ));
        };
        let is_any = region == "*";
        if is_any && fallbacks.is_some() {
            return Err(Failure::new(
                "`*` is for any region: nothing stands in for it",
            ));
        }
        Ok(Some(Self {
            region: (!is_any).then(|| region.into()),
            map: new_map.or(map).map(Into::into),
            weight: weight.unwrap_or(1),
            fallbacks: fallbacks.unwrap_or_default(),
            at,
        }))
    }
}

fn filled(name: &str) -> Result<&str, Failure> {
    match name {
        "" => Err(Failure::new("there is no name behind the `=`")),
        name => Ok(name),
    }
}

fn weight_of(text: &str) -> Result<u32, Failure> {
    // No signs, which `parse` would allow.
    let is_decimal = text.bytes().all(|octet| octet.is_ascii_digit());
    let weight = text.parse().ok().filter(|_| is_decimal);
    let weight = weight.filter(|weight| (1..=WEIGHT_MAX).contains(weight));
    weight.ok_or_else(|| {
        Failure::new(format!(
            "the weight `{text}` is no number from 1 to {WEIGHT_MAX}"
        ))
    })
}

fn list(names: &str) -> Result<Box<[Box<str>]>, Failure> {
    let names = names.split(',').map(|name| filled(name).map(Into::into));
    names.collect()
}
