//! Whether a zone's NSEC3 records can be served well.

use super::{Checker, Numbered};
use crate::zone::nsec3::{Nsec3Hash, Nsec3Params};
use crate::zone::rtype;

/// Beyond this, resolvers have long treated zones as unsigned, and each name that is missing would
/// cost hundreds of hashes (RFC 9276 §2.2, §3.2).
pub(in crate::zone) const ITERATIONS_MAX: u16 = 150;

impl<'z> Checker<'z> {
    /// Looks at the parameters that the apex names.
    pub(super) fn nsec3_params(&mut self, numbered: Numbered<'z>) {
        let Numbered { rrset, lines } = numbered;
        for (rdata, line) in rrset.records().zip(lines) {
            let Some(params) = Nsec3Params::of_rdata(rdata) else {
                continue;
            };
            let place = self.place(Some(line));
            let iterations = params.iterations;
            if iterations > ITERATIONS_MAX {
                let message = format!(
                    "{iterations} NSEC3 iterations: at most {ITERATIONS_MAX} are served, and RFC \
                     9276 wants none"
                );
                self.problems.error(place, message);
            } else if iterations > 0 {
                self.problems.warning(|| {
                    let message = format!("{iterations} NSEC3 iterations: RFC 9276 wants none");
                    (place, message)
                });
            }
            self.nsec3_chain(&params, line);
        }
    }

    /// RFC 5155 §4: the parameters say that the chain is complete; its record for the apex at least
    /// must be there, or nothing can be denied by it.
    fn nsec3_chain(&mut self, params: &Nsec3Params<'_>, line: &'z u32) {
        let apex = params.hash(self.records.origin());
        let has_apex = self.records.owners().any(|owner| {
            owner.rrset(rtype::NSEC3).is_some()
                && Nsec3Hash::of_owner(owner.relative_name()) == Some(apex)
        });
        if !has_apex {
            let place = self.place(Some(line));
            self.problems.warning(|| {
                let message = "no NSEC3 record for the zone's own name has these parameters";
                (place, message.to_owned())
            });
        }
    }
}
