//! What each name answers: its bodies, with and without signatures.

use super::additional;
use super::body::{BodyWriter, OwnerForm, Section};
use super::node::Woven;
use super::{CompileError, Compiler};
use crate::packet::code;
use crate::zone::image::NodeFlags;
use crate::zone::rdata;
use crate::zone::records::{Owner, Rrset};

impl Compiler<'_> {
    /// The negative body and what the header says of the apex.
    pub(super) fn apex(&mut self, owner: &Owner<'_>, name: &[u8]) -> Result<(), CompileError> {
        if name != self.records.origin() {
            return Err(CompileError::zone("the zone has no records at its apex"));
        }
        self.header.apex = self.nodes.current()?.0;
        // Without an SOA record, which the checks warn of, negative answers have an empty authority
        // section: they are right, but nobody can cache them.
        let mut soa = None;
        if let Some(rrset) = owner.rrset(code::SOA) {
            let (serial, minimum) = serial_and_minimum(&rrset)?;
            self.header.serial = serial;
            // RFC 2308 §5: the lesser of the record's TTL and its MINIMUM field.
            soa = Some((rrset, rrset.ttl().min(minimum)));
        }
        let signatures = signatures(owner, code::SOA);
        let body = self.woven(name, |body, dnssec| {
            let Some((rrset, ttl)) = soa else {
                return Ok(());
            };
            body.rrset(Section::Authority, OwnerForm::Itself, &rrset, ttl)?;
            match signatures.filter(|_| dnssec) {
                // RFC 4034 §3: the TTL of a signature is its records'.
                Some(rrset) => body.rrset(Section::Authority, OwnerForm::Itself, &rrset, ttl),
                None => Ok(()),
            }
        })?;
        self.nodes.negative(body);
        Ok(())
    }

    /// What a zone cut answers for everything at and below it. What proves that it is signed or not
    /// stands with the node's records.
    pub(super) fn referral(&mut self, owner: &Owner<'_>, name: &[u8]) -> Result<(), CompileError> {
        let Some(ns) = owner.rrset(code::NS) else {
            return Ok(());
        };
        let records = self.records;
        let body = self.woven(name, |body, dnssec| {
            body.rrset(Section::Authority, OwnerForm::Itself, &ns, ns.ttl())?;
            body.mark_glue();
            additional::glue(body, records, &ns, dnssec)
        })?;
        self.nodes.link_referral(body);
        Ok(())
    }

    /// The answers to each type that the name owns.
    pub(super) fn bodies(
        &mut self,
        owner: &Owner<'_>,
        name: &[u8],
        flags: NodeFlags,
    ) -> Result<(), CompileError> {
        let mut last = 0;
        for rrset in owner.rrsets() {
            let rtype = rrset.rtype();
            // Signatures come as an RRset per type that they cover; whoever asks for them gets all.
            if std::mem::replace(&mut last, rtype) == rtype {
                continue;
            }
            let is_cut = flags.any(NodeFlags::CUT);
            if is_cut && !matches!(rtype, code::DS | code::NSEC | code::RRSIG) {
                continue;
            }
            if rdata::is_woven(rtype) {
                self.woven_answer(owner, name, &rrset)?;
            } else {
                let same = owner.rrsets().filter(|rrset| rrset.rtype() == rtype);
                self.nodes.plain(rtype, same, signatures(owner, rtype))?;
            }
            if matches!(rtype, code::CNAME | code::DNAME) {
                let target = rrset.records().next().unwrap_or_default();
                let shared = match rtype {
                    code::CNAME => self.body.shared_suffix(target),
                    _ => 0,
                };
                self.nodes.link_target(target, shared)?;
            }
        }
        Ok(())
    }

    /// An answer with names to compress, or addresses to bring along.
    fn woven_answer(
        &mut self,
        owner: &Owner<'_>,
        name: &[u8],
        rrset: &Rrset<'_>,
    ) -> Result<(), CompileError> {
        let (records, others) = (self.records, [self.nested, self.varied]);
        let signatures = signatures(owner, rrset.rtype());
        let body = self.woven(name, |body, dnssec| {
            body.rrset(Section::Answer, OwnerForm::Itself, rrset, rrset.ttl())?;
            if let Some(rrset) = signatures.filter(|_| dnssec) {
                body.rrset(Section::Answer, OwnerForm::Itself, &rrset, rrset.ttl())?;
            }
            additional::addresses(body, records, others, rrset, dnssec)
        })?;
        self.nodes.answer(rrset.rtype(), body);
        Ok(())
    }

    /// Writes a body as it is without signatures and as it is with them.
    fn woven(
        &mut self,
        owner: &[u8],
        write: impl Fn(&mut BodyWriter, bool) -> Result<(), CompileError>,
    ) -> Result<Woven, CompileError> {
        self.body.begin(owner);
        write(&mut self.body, false)?;
        let bare = self.nodes.woven(&mut self.body);
        if !self.is_signed {
            return Ok(bare);
        }
        self.body.begin(owner);
        write(&mut self.body, true)?;
        Ok(self.nodes.woven_signed(bare, &mut self.body))
    }
}

/// The signatures of an owner's records of a type.
pub(super) fn signatures<'r>(owner: &Owner<'r>, rtype: u16) -> Option<Rrset<'r>> {
    let mut rrsets = owner.rrsets();
    rrsets.find(|rrset| rrset.covered() == Some(rtype))
}

/// SERIAL and MINIMUM of an SOA record (RFC 1035 §3.3.13).
fn serial_and_minimum(soa: &Rrset<'_>) -> Result<(u32, u32), CompileError> {
    let rdata = soa.records().next().unwrap_or_default();
    let Some((_, &[a, b, c, d, .., w, x, y, z])) = rdata.split_last_chunk::<20>() else {
        return Err(CompileError::zone("the SOA record is too short"));
    };
    Ok((
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([w, x, y, z]),
    ))
}
