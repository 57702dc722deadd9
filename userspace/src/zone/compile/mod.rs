//! Sorted records → the image that is served.

mod additional;
mod answers;
mod body;
mod denial;
mod hidden;
mod node;

use super::image::{IMAGE_HEADER_LEN, ImageHeader, MAGIC, NodeFlags, NodeRef, ZoneImage};
use super::records::{Owner, ZoneRecords};
use crate::name;
use crate::packet::code;
use body::BodyWriter;
use denial::Denial;
pub(super) use hidden::compile_hidden;
use node::NodeWriter;
use std::fmt;

/// Why checked records do not make an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// Presentation form of the name concerned; empty for the whole zone.
    pub owner: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner.as_str() {
            "" => f.write_str(&self.message),
            owner => write!(f, "{owner}: {}", self.message),
        }
    }
}

impl std::error::Error for CompileError {}

impl CompileError {
    fn too_large(rtype: u16) -> Self {
        let message = format!("the RRset of TYPE{rtype} does not fit into a DNS message");
        Self {
            owner: String::new(),
            message,
        }
    }

    pub(crate) fn zone(message: &str) -> Self {
        Self {
            owner: String::new(),
            message: message.to_owned(),
        }
    }
}

/// Compiles a zone whose checks found no error, and that is served alone.
pub fn compile(records: &ZoneRecords) -> Result<ZoneImage, CompileError> {
    compile_beside(records, &[])
}

/// Compiles a zone that is served beside those of these apexes, in lowered wire form: what it has
/// where another zone below it has authority, is no address of a host.
pub fn compile_beside<'r>(
    records: &'r ZoneRecords,
    apexes: &[&'r [u8]],
) -> Result<ZoneImage, CompileError> {
    compile_varied(records, apexes, &[])
}

/// The same of a zone whose names at `varied`, labels below its apex in canonical order, have
/// variants: they get the numbers that they have there.
pub(super) fn compile_varied<'r>(
    records: &'r ZoneRecords,
    apexes: &[&'r [u8]],
    varied: &[&'r [u8]],
) -> Result<ZoneImage, CompileError> {
    let origin = records.origin();
    let is_below = |apex: &&&[u8]| **apex != origin && name::is_at_or_below(apex, origin);
    let nested: Vec<&[u8]> = apexes.iter().filter(is_below).copied().collect();
    let mut compiler = Compiler::new(records, &nested, varied);
    let mut owners = records.owners().peekable();
    while let Some(owner) = owners.next() {
        let labels = owner.relative_name();
        let has_children = owners
            .peek()
            .is_some_and(|next| name::is_at_or_below(next.relative_name(), labels));
        let name = owner.name();
        compiler
            .owner(&owner, &name, has_children)
            .map_err(|error| CompileError {
                owner: name::display(&name).to_string(),
                ..error
            })?;
    }
    compiler.finish()
}

/// A node on the way from the apex to the current one.
struct Ancestor {
    /// Its name is so much of the path's end.
    name_len: usize,
    at: NodeRef,
    /// The zone cut at or above it.
    cut: Option<NodeRef>,
}

/// The state of a compilation: nodes are written in canonical order, ancestors first.
struct Compiler<'r> {
    records: &'r ZoneRecords,
    /// The apexes of other zones below this one.
    nested: &'r [&'r [u8]],
    /// The names that have variants.
    varied: &'r [&'r [u8]],
    nodes: NodeWriter,
    body: BodyWriter,
    ancestors: Vec<Ancestor>,
    /// The name of the last node that was opened: the ancestors' names are ends of it.
    path: Vec<u8>,
    denial: Denial<'r>,
    is_signed: bool,
    header: ImageHeader,
}

impl<'r> Compiler<'r> {
    fn new(records: &'r ZoneRecords, nested: &'r [&'r [u8]], varied: &'r [&'r [u8]]) -> Self {
        let mut header: ImageHeader = bytemuck::Zeroable::zeroed();
        header.magic = MAGIC;
        header.record_count = records.record_count() as u64;
        header.apex_labels = labels(records.origin());
        header.apex_len = u8::try_from(records.origin().len()).unwrap_or(u8::MAX);
        let denial = Denial::of(records);
        let apex = records.find(records.origin());
        let is_signed =
            denial.exists() || apex.is_some_and(|apex| apex.rrset(code::RRSIG).is_some());
        Self {
            records,
            nested,
            varied,
            nodes: NodeWriter::new(image_len(records)),
            body: BodyWriter::default(),
            ancestors: Vec::new(),
            path: Vec::new(),
            denial,
            is_signed,
            header,
        }
    }

    /// Adds a name and, before it, the empty non-terminals above.
    fn owner(
        &mut self,
        owner: &Owner<'_>,
        name: &[u8],
        has_children: bool,
    ) -> Result<(), CompileError> {
        while let Some(last) = self.ancestors.last()
            && !name::is_at_or_below(name, &self.path[self.path.len() - last.name_len..])
        {
            self.ancestors.pop();
        }
        let known = self.ancestors.last();
        let known = known.map_or(name.len(), |last| last.name_len);
        for start in missing_ancestors(name, known) {
            self.begin(&name[start..], self.occlusion(), true)?;
            self.nodes.end()?;
        }
        if !has_children && denial::is_hashed(owner) {
            return self.hashed(owner, name);
        }
        self.node(owner, name, has_children)
    }

    /// Writes the node of an NSEC3 record: it is not on the way to any name.
    fn hashed(&mut self, owner: &Owner<'_>, name: &[u8]) -> Result<(), CompileError> {
        let flags = NodeFlags::default();
        let at = self.nodes.begin(name, flags)?;
        self.nodes.mark_hashed();
        self.denial.add(owner, at);
        self.bodies(owner, name, flags)?;
        self.nodes.end()
    }

    /// Writes an owner's node.
    fn node(
        &mut self,
        owner: &Owner<'_>,
        name: &[u8],
        has_children: bool,
    ) -> Result<(), CompileError> {
        let is_apex = self.ancestors.is_empty();
        let has = |rtype| owner.rrset(rtype).is_some();
        let mut flags = self.occlusion();
        if is_apex {
            flags = flags.with(NodeFlags::APEX);
        } else if flags == NodeFlags::default() && has(code::NS) {
            flags = flags.with(NodeFlags::CUT);
        }
        if !flags.any(NodeFlags::CUT.with(NodeFlags::OCCLUDED)) {
            if has(code::CNAME) {
                flags = flags.with(NodeFlags::ALIAS);
            }
            if has(code::DNAME) {
                flags = flags.with(NodeFlags::REDIRECT);
            }
        }
        self.begin(name, flags, has_children)?;
        self.link_variants(owner, flags);
        if !flags.any(NodeFlags::OCCLUDED) {
            self.denial.add(owner, self.nodes.current()?);
        }
        if is_apex {
            self.apex(owner, name)?;
        }
        if flags.any(NodeFlags::CUT) {
            self.referral(owner, name)?;
        }
        if !flags.any(NodeFlags::OCCLUDED) {
            self.bodies(owner, name, flags)?;
        }
        self.nodes.end()
    }

    /// Tells a name with variants where they are. What another server answers has none.
    fn link_variants(&mut self, owner: &Owner<'_>, flags: NodeFlags) {
        let compare = |name: &&[u8]| name::canonical_cmp_lowercase(name, owner.relative_name());
        let is_ours = !flags.any(NodeFlags::CUT.with(NodeFlags::OCCLUDED));
        if is_ours
            && let Ok(number) = self.varied.binary_search_by(compare)
            && let Ok(number) = u32::try_from(number)
        {
            self.nodes.link_variants(number);
        }
    }

    /// Says whether the next node lies below a zone cut, be it an empty non-terminal.
    fn occlusion(&self) -> NodeFlags {
        match self.ancestors.last() {
            Some(Ancestor { cut: Some(_), .. }) => NodeFlags::OCCLUDED,
            _ => NodeFlags::default(),
        }
    }

    /// Opens a node and puts it on the way down.
    fn begin(
        &mut self,
        name: &[u8],
        flags: NodeFlags,
        has_children: bool,
    ) -> Result<(), CompileError> {
        let above = self.ancestors.last().and_then(|last| last.cut);
        let at = self.nodes.begin(name, flags)?;
        if let Some(cut) = above {
            self.nodes.link_cut(cut);
        } else {
            if has_children {
                self.nodes.reserve_wildcard();
            }
            if let Some(place) = self.denial.nsec3_place(name) {
                self.nodes.link_nsec3(place);
            }
        }
        if let Some(parent) = self.ancestors.last()
            && above.is_none()
            && name.starts_with(b"\x01*")
        {
            self.nodes.set_wildcard(parent.at, at);
        }
        let cut = above.or_else(|| flags.any(NodeFlags::CUT).then_some(at));
        self.path.clear();
        self.path.extend_from_slice(name);
        self.ancestors.push(Ancestor {
            name_len: name.len(),
            at,
            cut,
        });
        self.header.labels_max = self.header.labels_max.max(labels(name));
        self.header.node_count += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<ZoneImage, CompileError> {
        if self.header.apex == 0 {
            return Err(CompileError::zone("the zone has no records at its apex"));
        }
        let chain = self.denial.finish(&mut self.header);
        Ok(self.nodes.finish(self.header, &chain))
    }
}

/// About how long the image of a zone will be, rather more: what is not needed is given back.
fn image_len(records: &ZoneRecords) -> usize {
    let names = records.owner_count() * (records.origin().len() + 40);
    names + records.record_count() * 12 + records.data_len()
}

/// Offsets in `name` of the ancestors longer than `known` bytes, the shortest first.
fn missing_ancestors(name: &[u8], known: usize) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while name[at] != 0 {
        at += 1 + usize::from(name[at]);
        if name.len() - at > known {
            starts.push(at);
        }
    }
    starts.reverse();
    starts
}

/// Labels of a name, the root's not counted: at most 127.
fn labels(name: &[u8]) -> u8 {
    u8::try_from(name::label_count(name)).unwrap_or(u8::MAX)
}

const _: () = assert!(IMAGE_HEADER_LEN == 64);
