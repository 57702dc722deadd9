//! Brings owners that were read in any order into canonical order. Their blocks stay in place.

use super::{Builder, Full, Owner, ZoneRecords};
use crate::name;
use crate::sys::pages::Pages;
use crate::zone::error::Problems;
use bytemuck::{Pod, Zeroable};
use std::cmp::Ordering;
use std::thread;

/// So few owners are sorted before other threads have begun.
const SORTED_BY_ONE: usize = 10_000;

/// The first 16 octets as two numbers, which compare faster than octets do.
type Prefix = [u64; 2];

/// What is sorted: 24 octets per owner.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Item {
    prefix: Prefix,
    /// The place of the owner's block.
    block: u32,
    /// The place of its first record.
    first_record: u32,
}

/// Brings the owners into canonical order, each of them once.
pub(super) fn sort(
    zone: &mut ZoneRecords,
    threads: usize,
    problems: &mut Problems,
) -> Result<(), Full> {
    let count = zone.owners.len();
    let (mut few, mut many);
    // Of a hundred thousand small zones none wants a mapping; a large one gives it back at once.
    let order: &mut [Item] = if count < SORTED_BY_ONE {
        few = vec![Item::zeroed(); count];
        &mut few
    } else {
        many = Pages::zeroed(count);
        &mut many
    };
    put_in_order(zone, order, threads);
    let joined = joined(zone, order, problems)?;
    let base = zone.append_blocks(&joined)?;
    let mut record_lines = Vec::with_capacity(zone.record_count);
    let mut owners = std::mem::take(&mut zone.owners);
    owners.clear();
    let (mut joined_owners, mut joined_lines) = (joined.owners(), &joined.record_lines[..]);
    let mut joined_places = joined.owners.iter();
    for group in groups(zone, order) {
        if let [item] = group {
            owners.push(item.block);
            let lines = &zone.record_lines[item.first_record as usize..];
            record_lines.extend_from_slice(&lines[..record_count(&zone.owner_at(item.block))]);
        } else if let (Some(owner), Some(place)) = (joined_owners.next(), joined_places.next()) {
            owners.push(base + place);
            let (lines, rest) = joined_lines.split_at(record_count(&owner));
            record_lines.extend_from_slice(lines);
            joined_lines = rest;
        }
    }
    zone.record_count = record_lines.len();
    zone.owners = owners;
    zone.record_lines = record_lines;
    Ok(())
}

/// The owners that come more than once, each with all of its records.
fn joined(
    zone: &ZoneRecords,
    order: &[Item],
    problems: &mut Problems,
) -> Result<ZoneRecords, Full> {
    let mut builder = Builder::new(&zone.origin, zone.lines.clone(), 0);
    for item in groups(zone, order)
        .filter(|group| group.len() > 1)
        .flatten()
    {
        let owner = zone.owner_at(item.block);
        let mut lines = zone.record_lines[item.first_record as usize..].iter();
        for rrset in owner.rrsets() {
            for (data, line) in rrset.records().zip(&mut lines) {
                let (rtype, ttl) = (rrset.rtype, rrset.ttl);
                builder.push(owner.relative, rtype, ttl, *line, data, problems)?;
            }
        }
    }
    // They came in canonical order: nothing is sorted again.
    builder.finish(1, problems)
}

/// The blocks of each owner.
fn groups<'o>(zone: &ZoneRecords, order: &'o [Item]) -> impl Iterator<Item = &'o [Item]> {
    order.chunk_by(|left, right| by_owner(zone, left, right).is_eq())
}

/// The blocks in canonical order of their owners; those of one owner stay in the order in which
/// they were read.
fn put_in_order(zone: &ZoneRecords, order: &mut [Item], threads: usize) {
    let mut first_record = 0;
    for (item, &block) in order.iter_mut().zip(&zone.owners) {
        let owner = zone.owner_at(block);
        *item = Item {
            prefix: prefix(&owner),
            block,
            first_record,
        };
        first_record += u32::try_from(record_count(&owner)).unwrap_or(u32::MAX);
    }
    sort_items(zone, order, threads);
}

/// Sorts in place: the memory that a stable sort wants would be the most that a load ever needs.
fn sort_items(zone: &ZoneRecords, items: &mut [Item], threads: usize) {
    let compare = |left: &Item, right: &Item| {
        let by_owner = by_owner(zone, left, right);
        by_owner.then_with(|| left.first_record.cmp(&right.first_record))
    };
    if threads < 2 || items.len() < SORTED_BY_ONE {
        items.sort_unstable_by(compare);
        return;
    }
    // What is less goes to one half of the threads, what is more to the other.
    let middle = items.len() * (threads / 2) / threads;
    items.select_nth_unstable_by(middle, compare);
    let (less, more) = items.split_at_mut(middle);
    thread::scope(|scope| {
        scope.spawn(move || sort_items(zone, less, threads / 2));
        sort_items(zone, more, threads - threads / 2);
    });
}

fn by_owner(zone: &ZoneRecords, left: &Item, right: &Item) -> Ordering {
    let labels = |item: &Item| zone.owner_at(item.block).relative;
    let by_prefix = left.prefix.cmp(&right.prefix);
    by_prefix.then_with(|| name::canonical_cmp_lowercase(labels(left), labels(right)))
}

fn record_count(owner: &Owner<'_>) -> usize {
    let counts = owner.rrsets().map(|rrset| usize::from(rrset.record_count));
    counts.sum()
}

/// What most comparisons need of a name.
fn prefix(owner: &Owner<'_>) -> Prefix {
    let octets: [u8; 16] = name::canonical_prefix(owner.relative);
    let halves = octets.as_chunks().0;
    [u64::from_be_bytes(halves[0]), u64::from_be_bytes(halves[1])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::records::{Lines, ZoneRecords};

    #[test]
    fn several_threads_sort_as_one_does() {
        let sorted = |threads| {
            let mut builder = Builder::new(b"\x07example\0", Lines::new("zone"), 0);
            let mut problems = Problems::default();
            for i in 0..30_000u32 {
                // Owners come up to three times, far apart.
                let owner = format!("\x08{:08}", i * 7919 % 20_011);
                let data = i.to_be_bytes();
                let pushed = builder.push(owner.as_bytes(), 1, 60, i, &data, &mut problems);
                pushed.unwrap();
            }
            let records = builder.finish(threads, &mut problems).unwrap();
            let owners = records.owners_with_lines();
            let owners = owners.map(|(owner, lines)| (owner.name(), lines.to_vec()));
            owners.collect::<Vec<_>>()
        };
        let expected = sorted(1);
        assert!(expected.is_sorted_by(|left, right| left.0[..] < right.0[..]));
        assert!(sorted(2) == expected && sorted(3) == expected);
    }

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
