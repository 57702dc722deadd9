//! Names of which a zone has several: each variant's node stands in an image beside the zone's,
//! where no index leads.

use super::{CompileError, Compiler};
use crate::name;
use crate::packet::code;
use crate::zone::image::{NodeFlags, NodeRef, ZoneImage};
use crate::zone::records::{Owner, ZoneRecords};

/// Compiles a node for each of `owners`, in their order.
///
/// No addresses of hosts are brought along: `none`, where they are looked for, are the records of a
/// zone that has none.
pub(in crate::zone) fn compile_hidden<'o>(
    none: &ZoneRecords,
    owners: impl Iterator<Item = Owner<'o>>,
) -> Result<(ZoneImage, Vec<NodeRef>), CompileError> {
    let mut compiler = Compiler::new(none, &[], &[]);
    // A body with signatures that is as the one without is not kept.
    compiler.is_signed = true;
    let mut places = Vec::new();
    for owner in owners {
        let name = owner.name();
        let place = compiler.hidden(&owner, &name);
        places.push(place.map_err(|error| CompileError {
            owner: name::display(&name).to_string(),
            ..error
        })?);
    }
    let image = compiler.nodes.finish(compiler.header, &[]);
    Ok((image, places))
}

impl Compiler<'_> {
    /// Writes the node of a variant.
    fn hidden(&mut self, owner: &Owner<'_>, name: &[u8]) -> Result<NodeRef, CompileError> {
        let flags = match owner.rrset(code::CNAME) {
            Some(_) => NodeFlags::ALIAS,
            None => NodeFlags::default(),
        };
        let at = self.nodes.begin(name, flags)?;
        self.bodies(owner, name, flags)?;
        self.nodes.end()?;
        Ok(at)
    }
}
