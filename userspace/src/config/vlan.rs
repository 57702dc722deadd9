//! VLAN tags that a NIC takes off.

use super::ConfigError;
use std::collections::BTreeMap;

/// The tag of each interface, as `[vlan]` has it.
pub type VlanTags = BTreeMap<String, u16>;

/// IEEE 802.1Q: 0 is no VLAN, 4095 is reserved.
const IDS: std::ops::RangeInclusive<u16> = 1..=4094;

/// Checks the numbers.
pub(super) fn check(tags: VlanTags) -> Result<VlanTags, ConfigError> {
    for (interface, id) in &tags {
        if !IDS.contains(id) {
            let problem = format!("{id} is not within {}–{}", IDS.start(), IDS.end());
            return Err(ConfigError::option(format!("vlan.{interface}"), problem));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vlan_has_a_number_that_tags_can_have() {
        let tags = |id| VlanTags::from([("eth7".to_owned(), id)]);
        assert_eq!(check(tags(5)).unwrap(), tags(5));
        for id in [0, 4095, 65535] {
            let error = check(tags(id)).unwrap_err().to_string();
            assert_eq!(error, format!("vlan.eth7: {id} is not within 1–4094"));
        }
    }
}
