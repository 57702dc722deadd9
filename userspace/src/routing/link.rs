//! An interface, as far as replies need it.

use super::LinkIndex;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVlan, LinkAttribute, LinkInfo, LinkMessage,
};

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Its number.
    pub(super) index: LinkIndex,
    /// Whether other interfaces become one by it, as by a bond.
    pub(super) is_bond: bool,
    /// The interface that this one is a member of.
    pub(super) master: Option<LinkIndex>,
    /// The interface on which this one is a VLAN, and the VLAN's number.
    pub(super) vlan: Option<(LinkIndex, u16)>,
}

impl Link {
    pub(super) fn read(message: &LinkMessage) -> Self {
        let mut link = Self {
            index: message.header.index,
            is_bond: false,
            master: None,
            vlan: None,
        };
        let (mut parent, mut id) = (None, None);
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::Controller(index) => link.master = Some(*index),
                LinkAttribute::Link(index) => parent = Some(*index),
                LinkAttribute::LinkInfo(infos) => {
                    link.is_bond |= infos.iter().any(is_bond);
                    id = id.or_else(|| infos.iter().find_map(vlan_id));
                }
                _ => {}
            }
        }
        link.vlan = parent.zip(id);
        link
    }
}

fn is_bond(info: &LinkInfo) -> bool {
    match info {
        LinkInfo::Kind(InfoKind::Bond) => true,
        LinkInfo::Kind(InfoKind::Other(kind)) => kind == "team",
        _ => false,
    }
}

fn vlan_id(info: &LinkInfo) -> Option<u16> {
    let LinkInfo::Data(InfoData::Vlan(facts)) = info else {
        return None;
    };
    facts.iter().find_map(|fact| match fact {
        InfoVlan::Id(id) => Some(*id),
        _ => None,
    })
}
