//! Brings owners that were read in any order into canonical order.

use super::{Builder, Full, Owner, ZoneRecords};
use crate::name;
use crate::zone::error::Problems;

/// The first 16 octets as two numbers, which compare faster than octets do.
type Prefix = (u64, u64);

/// What is sorted: 24 octets per owner, because a build needs the most memory here.
struct Item {
    prefix: Prefix,
    /// The place of the owner.
    index: u32,
    /// The place of its first record.
    first_record: u32,
}

/// Builds a zone anew with its owners in canonical order, each of them once.
pub(super) fn sorted(zone: ZoneRecords, problems: &mut Problems) -> Result<ZoneRecords, Full> {
    let mut rebuilt = Builder::new(&zone.origin, zone.lines.clone(), zone.blocks.len());
    for item in canonical_order(&zone) {
        let owner = zone.owner(item.index as usize);
        let mut lines = zone.record_lines[item.first_record as usize..].iter();
        for rrset in owner.rrsets() {
            for (data, line) in rrset.records().zip(&mut lines) {
                rebuilt.push(
                    owner.relative,
                    rrset.rtype,
                    rrset.ttl,
                    *line,
                    data,
                    problems,
                )?;
            }
        }
    }
    rebuilt.finish_in_order(problems)
}

/// The owners in canonical order; what belongs to the same owner stays in the order in which it was
/// read.
fn canonical_order(zone: &ZoneRecords) -> Vec<Item> {
    let mut next_record = 0;
    let owners = zone.owners().zip(0..);
    let mut order: Vec<Item> = owners
        .map(|(owner, index)| {
            let (prefix, first_record) = (prefix(&owner), next_record);
            next_record += owner
                .rrsets()
                .map(|rrset| u32::from(rrset.record_count))
                .sum::<u32>();
            Item {
                prefix,
                index,
                first_record,
            }
        })
        .collect();
    let labels = |item: &Item| zone.owner(item.index as usize).relative;
    order.sort_unstable_by(|left, right| {
        let by_prefix = left.prefix.cmp(&right.prefix);
        by_prefix
            .then_with(|| name::canonical_cmp_lowercase(labels(left), labels(right)))
            .then_with(|| left.index.cmp(&right.index))
    });
    order
}

/// What most comparisons need of a name.
fn prefix(owner: &Owner<'_>) -> Prefix {
    let octets: [u8; 16] = name::canonical_prefix(owner.relative);
    let halves = octets.as_chunks().0;
    (u64::from_be_bytes(halves[0]), u64::from_be_bytes(halves[1]))
}

#[cfg(test)]
mod tests {
    use crate::name;
    use crate::zone::records::ZoneRecords;

    #[test]
    fn octets_0_and_1_sort_apart_whatever_is_behind_them() {
        let text = br"
@       60 IN SOA ns h 1 2 3 4 5
@       60 IN NS ns.elsewhere.
\001a   60 IN A 192.0.2.1
\000b   60 IN A 192.0.2.2
a.\001  60 IN A 192.0.2.3
b.\000  60 IN A 192.0.2.4
\001    60 IN A 192.0.2.5
\002    60 IN A 192.0.2.6
";
        let (records, _) = ZoneRecords::parse(text, "zone", b"\x07example\0").unwrap();
        let owners: Vec<_> = records.owners().map(|owner| owner.name()).collect();
        assert!(owners.is_sorted_by(|left, right| name::canonical_cmp(left, right).is_lt()));
        assert_eq!(owners.len(), 7);
    }
}
