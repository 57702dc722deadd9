//! Queries of the tests, byte by byte.

use crate::name::Name;
use crate::record::IN;

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The message's ID.
    pub id: u16,
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
    /// OPCODE.
    pub opcode: u8,
    /// Recursion desired.
    pub rd: bool,
    /// Checking disabled.
    pub cd: bool,
    /// With EDNS, and then what its OPT record says.
    pub edns: Option<AskEdns>,
}

/// The OPT record of a query (RFC 6891 §6.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskEdns {
    /// The requestor's UDP payload size.
    pub size: u16,
    /// The EDNS version.
    pub version: u8,
    /// DNSSEC OK.
    pub dnssec_ok: bool,
    /// Options in wire form.
    pub options: Vec<u8>,
}

impl Ask {
    /// A plain query of class IN, without EDNS.
    pub fn new(name: Name, qtype: u16) -> Self {
        Self {
            id: 0x5157,
            name,
            qtype,
            qclass: IN,
            opcode: 0,
            rd: false,
            cd: false,
            edns: None,
        }
    }

    /// With an OPT record that announces this UDP payload size.
    pub fn edns(mut self, size: u16) -> Self {
        self.edns = Some(AskEdns {
            size,
            ..AskEdns::default()
        });
        self
    }

    /// With another option in its OPT record.
    pub fn option(mut self, code: u16, data: &[u8]) -> Self {
        let edns = self.edns.get_or_insert_with(|| AskEdns {
            size: 1232,
            ..AskEdns::default()
        });
        let len = u16::try_from(data.len()).expect("options below 64 KiB");
        edns.options.extend(code.to_be_bytes());
        edns.options.extend(len.to_be_bytes());
        edns.options.extend(data);
        self
    }

    /// The message.
    pub fn message(&self) -> Vec<u8> {
        let mut message = self.id.to_be_bytes().to_vec();
        message.push(self.opcode << 3 | u8::from(self.rd));
        message.push(u8::from(self.cd) << 4);
        message.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        message.extend(self.name.wire());
        message.extend(self.qtype.to_be_bytes());
        message.extend(self.qclass.to_be_bytes());
        if let Some(edns) = &self.edns {
            message.extend([0, 0, 41]);
            message.extend(edns.size.to_be_bytes());
            message.extend([0, edns.version, u8::from(edns.dnssec_ok) << 7, 0]);
            let len = u16::try_from(edns.options.len()).expect("options below 64 KiB");
            message.extend(len.to_be_bytes());
            message.extend(&edns.options);
        }
        message
    }
}
