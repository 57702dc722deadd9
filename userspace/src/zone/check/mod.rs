//! Judges records as a zone: what must not be served, and what is probably a mistake.
//!
//! Errors are what BIND and Knot DNS refuse; what they serve with a warning, or only one of them
//! refuses without an RFC behind it, is a warning.

mod nsec3;
mod target;

use super::error::{Place, Problems, ZoneProblem};
use super::records::{Owner, Rrset, ZoneRecords};
use super::{rtype, variants};
use crate::name::{self, NameBuf};
pub(super) use nsec3::ITERATIONS_MAX;
use target::Targets;

/// Types that mean something only at the apex, beside SOA: their place is their meaning.
const APEX_TYPES: [u16; 6] = [
    rtype::DNSKEY,
    rtype::NSEC3PARAM,
    rtype::CDS,
    rtype::CDNSKEY,
    rtype::CSYNC,
    rtype::ZONEMD,
];

/// What may stand beside a CNAME (RFC 4034 §2.5, RFC 2181 §10.1): SIG, KEY, NXT, RRSIG, NSEC.
const BESIDE_CNAME: [u16; 5] = [24, rtype::KEY, 30, rtype::RRSIG, rtype::NSEC];

/// What a delegating server answers at a cut (RFC 4035 §3.1.4): all else there belongs to the
/// child.
const AT_CUT: [u16; 4] = [rtype::NS, rtype::DS, rtype::NSEC, rtype::RRSIG];

/// Types that no check of ours looks at.
const HARMLESS: [u16; 6] = [
    rtype::A,
    rtype::AAAA,
    rtype::PTR,
    rtype::TXT,
    rtype::NSEC3,
    rtype::RRSIG,
];

/// Checks a zone; its lines must not be forgotten yet, or problems name no lines.
pub fn check(records: &ZoneRecords) -> Vec<ZoneProblem> {
    let mut checker = Checker {
        records,
        problems: Problems::default(),
        targets: Targets::new(records),
        cut: None,
        redirected: None,
    };
    if records.owner_count() == 0 || !records.owner(0).is_apex() {
        checker.missing_at_apex("SOA");
        checker.missing_at_apex("NS");
    }
    for (index, (owner, lines)) in records.owners_with_lines().enumerate() {
        if checker.problems.is_full() {
            break;
        }
        checker.owner(index, &owner, lines);
    }
    variants::check(records, &mut checker.problems);
    checker.problems.into_list(&records.place(None).file)
}

/// Walks over a zone in canonical order, in which the names below a name follow it.
struct Checker<'z> {
    records: &'z ZoneRecords,
    problems: Problems,
    targets: Targets<'z>,
    /// The delegation that the walk is in, as labels below the origin.
    cut: Option<&'z [u8]>,
    /// The DNAME that the walk is in.
    redirected: Option<&'z [u8]>,
}

/// An RRset and the lines of its records.
#[derive(Clone, Copy)]
struct Numbered<'z> {
    rrset: Rrset<'z>,
    lines: &'z [u32],
}

impl<'z> Checker<'z> {
    /// Checks the records of one owner.
    fn owner(&mut self, index: usize, owner: &Owner<'z>, lines: &'z [u32]) {
        let labels = owner.relative_name();
        if self.is_harmless(owner) {
            (self.cut, self.redirected) = (None, None);
            return;
        }
        self.aliases(owner, lines);
        let is_below =
            |above: &Option<&[u8]>| above.is_some_and(|a| name::is_at_or_below(labels, a));
        if is_below(&self.cut) {
            return self.below_cut(owner, lines);
        }
        self.cut = None;
        if is_below(&self.redirected) {
            self.below_dname(owner, lines);
        } else {
            self.redirected = None;
        }
        if owner.is_apex() {
            self.apex(owner, lines);
        } else {
            self.below_apex(owner, lines);
        }
        if let Some(dname) = find(owner, lines, rtype::DNAME) {
            self.dname(owner, dname);
        }
        self.wildcard(owner, lines);
        for Numbered { rrset, lines } in numbered(owner, lines) {
            for (record, data) in rrset.records().enumerate() {
                let doubt = self.targets.doubt(index, owner, rrset.rtype(), data);
                if let Some(doubt) = doubt {
                    let place = self.place(lines.get(record));
                    if doubt.is_error {
                        self.problems.error(place, doubt.message);
                    } else {
                        self.problems.warning(|| (place, doubt.message));
                    }
                }
            }
        }
    }

    /// Most owners have only types of which one can think nothing bad, and stand where nothing
    /// hides them.
    fn is_harmless(&self, owner: &Owner<'z>) -> bool {
        let labels = owner.relative_name();
        let above = [self.cut, self.redirected];
        let is_hidden = above
            .iter()
            .flatten()
            .any(|above| name::is_at_or_below(labels, above));
        !is_hidden
            && !owner.is_apex()
            && !labels.contains(&b'*')
            && owner
                .rrsets()
                .all(|rrset| HARMLESS.contains(&rrset.rtype()))
    }

    /// The apex has one SOA and a server.
    fn apex(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        let has_ns = owner.rrset(rtype::NS).is_some();
        match find(owner, lines, rtype::SOA) {
            // Published copies of the root zone come without: they can be served, if not cached
            // well.
            None if has_ns => self.no_soa(),
            None => self.missing_at_apex("SOA"),
            Some(soa) if soa.rrset.len() > 1 => {
                let message = format!("the zone has {} different SOA records", soa.rrset.len());
                self.problems.error(self.place(soa.lines.get(1)), message);
            }
            Some(_) => {}
        }
        if !has_ns {
            self.missing_at_apex("NS");
        }
        if let Some(params) = find(owner, lines, rtype::NSEC3PARAM) {
            self.nsec3_params(params);
        }
        if let Some(ds) = find(owner, lines, rtype::DS) {
            self.warn(ds, || {
                "a DS record at the zone's own name belongs to the parent zone".into()
            });
        }
    }

    /// What only the apex can have is not below it; a delegation begins with NS.
    fn below_apex(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        let has_ns = owner.rrset(rtype::NS).is_some();
        for numbered in numbered(owner, lines) {
            let rtype = numbered.rrset.rtype();
            if rtype == rtype::SOA {
                let message = format!(
                    "{} has a SOA record, but the zone's name has to",
                    shown(owner)
                );
                self.problems
                    .error(self.place(numbered.lines.first()), message);
            } else if APEX_TYPES.contains(&rtype) {
                self.warn(numbered, || {
                    format!(
                        "{} means nothing below the zone's own name",
                        rtype::display(rtype)
                    )
                });
            } else if rtype == rtype::DS && !has_ns {
                self.warn(numbered, || {
                    format!(
                        "{} has a DS record but is not delegated: NS is missing",
                        shown(owner)
                    )
                });
            } else if has_ns
                && !AT_CUT.contains(&rtype)
                && ![rtype::A, rtype::AAAA, rtype::CNAME, rtype::DNAME].contains(&rtype)
            {
                let occluded = rtype::display(rtype);
                self.warn(numbered, || {
                    format!(
                        "{} is delegated, so its {occluded} is never answered",
                        shown(owner)
                    )
                });
            }
        }
        if has_ns {
            self.cut = Some(owner.relative_name());
        }
    }

    // RFC 2181 §10.1, RFC 1034 §3.6.2, RFC 6672 §2.4: of CNAME and DNAME there is one, and a CNAME
    // is alone; in a delegated zone too, because what is answered there must not depend on where
    // the cut is.
    fn aliases(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        for Numbered { rrset, lines } in numbered(owner, lines) {
            let is_alias = [rtype::CNAME, rtype::DNAME].contains(&rrset.rtype());
            if is_alias && rrset.len() > 1 {
                let (what, count) = (rtype::display(rrset.rtype()), rrset.len());
                let message = format!("{} has {count} {what} records", shown(owner));
                self.problems.error(self.place(lines.get(1)), message);
            }
            if rrset.rtype() == rtype::CNAME {
                self.beside_cname(owner, lines);
            }
        }
    }

    fn beside_cname(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        let others = owner.rrsets().map(|rrset| rrset.rtype());
        let others = others.filter(|other| *other != rtype::CNAME && !BESIDE_CNAME.contains(other));
        let others: Vec<String> = others
            .map(|other| rtype::display(other).to_string())
            .collect();
        if !others.is_empty() {
            let message = format!(
                "{} has CNAME and other data: {}",
                shown(owner),
                others.join(", ")
            );
            self.problems.error(self.place(lines.first()), message);
        }
    }

    // RFC 6672 §2.3, §2.4: a DNAME is not at a cut, and nothing is below it.
    fn dname(&mut self, owner: &Owner<'z>, dname: Numbered<'z>) {
        if self.cut.is_some() {
            let message = format!("{} is delegated and has a DNAME record too", shown(owner));
            self.problems
                .error(self.place(dname.lines.first()), message);
        }
        self.redirected = Some(owner.relative_name());
    }

    fn below_dname(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        // RFC 6672 §2.4 does not know of them, but hashed names stand below the apex whatever is
        // there.
        let is_hashed = |rrset: Rrset<'_>| [rtype::NSEC3, rtype::RRSIG].contains(&rrset.rtype());
        if !owner.rrsets().all(is_hashed) {
            let message = format!("{} is below a DNAME record", shown(owner));
            self.problems.error(self.place(lines.first()), message);
        }
    }

    fn below_cut(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        for numbered in numbered(owner, lines) {
            let rtype = numbered.rrset.rtype();
            if ![rtype::A, rtype::AAAA].contains(&rtype) {
                self.warn(numbered, || {
                    let occluded = rtype::display(rtype);
                    format!(
                        "{} is below a delegation, its {occluded} is never answered",
                        shown(owner)
                    )
                });
            }
        }
    }

    // RFC 4592 §4.2, §4.4: what NS and DNAME mean at a wildcard is undefined.
    fn wildcard(&mut self, owner: &Owner<'z>, lines: &'z [u32]) {
        let mut labels = name::labels(owner.relative_name());
        if labels.next() == Some(b"*") {
            for rtype in [rtype::NS, rtype::DNAME] {
                if let Some(found) = find(owner, lines, rtype) {
                    self.warn(found, || {
                        format!(
                            "what {} means at a wildcard is undefined",
                            rtype::display(rtype)
                        )
                    });
                }
            }
        }
        if labels.any(|label| label == b"*") {
            let place = self.place(lines.first());
            self.problems.warning(|| {
                (
                    place,
                    format!("{} has a `*` inside, which is no wildcard", shown(owner)),
                )
            });
        }
    }

    fn missing_at_apex(&mut self, what: &str) {
        let zone = name::display(self.records.origin());
        let message = format!("the zone has no {what} record at its own name {zone}");
        self.problems.error(self.records.place(None), message);
    }

    fn no_soa(&mut self) {
        let place = self.records.place(None);
        let message = "the zone has no SOA record: no resolver can cache its negative answers";
        self.problems.warning(|| (place, message.to_owned()));
    }

    fn warn(&mut self, rrset: Numbered<'z>, message: impl FnOnce() -> String) {
        let (records, line) = (self.records, rrset.lines.first().copied());
        self.problems.warning(|| (records.place(line), message()));
    }

    fn place(&self, line: Option<&u32>) -> Place {
        self.records.place(line.copied())
    }
}

/// The RRsets of an owner, with their lines out of those of all its records.
fn numbered<'z>(owner: &Owner<'z>, lines: &'z [u32]) -> impl Iterator<Item = Numbered<'z>> {
    let mut rest = lines;
    owner.rrsets().map(move |rrset| {
        let (lines, others) = rest.split_at_checked(rrset.len()).unwrap_or_default();
        rest = others;
        Numbered { rrset, lines }
    })
}

/// The RRset of a type, with its lines.
fn find<'z>(owner: &Owner<'z>, lines: &'z [u32], rtype: u16) -> Option<Numbered<'z>> {
    numbered(owner, lines).find(|numbered| numbered.rrset.rtype() == rtype)
}

/// An owner's name for people.
fn shown(owner: &Owner<'_>) -> String {
    let name: NameBuf = owner.name();
    name::display(&name).to_string()
}

#[cfg(test)]
mod tests;
