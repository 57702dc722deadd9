//! Replies as an independent decoder reads them: hickory-proto.

use crate::name::Name;
use crate::record::has_names;
use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr;
use hickory_proto::serialize::binary::{
    BinDecodable, BinDecoder, BinEncodable, BinEncoder, NameEncoding,
};

/// A record of a reply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rr {
    /// Whose it is.
    pub owner: Name,
    /// Its type.
    pub rtype: u16,
    /// Its class.
    pub class: u16,
    /// Its time to live in seconds.
    pub ttl: u32,
    /// Its data, uncompressed.
    pub rdata: Vec<u8>,
    /// Its data in presentation form.
    pub text: String,
}

/// The OPT record of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The responder's UDP payload size.
    pub size: u16,
    /// Its EDNS version.
    pub version: u8,
    /// DNSSEC OK.
    pub dnssec_ok: bool,
    /// The flags behind it, which nobody has defined.
    pub z: u16,
    /// Codes and data of the options.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Edns {
    /// The data of the one option with this code; none where there is none.
    ///
    /// # Panics
    /// Where there are several.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        let mut options = self.options.iter().filter(|option| option.0 == code);
        let option = options.next();
        assert!(options.next().is_none(), "option {code} comes twice");
        option.map(|option| &option.1[..])
    }
}

/// A reply, taken apart.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The message's ID.
    pub id: u16,
    /// OPCODE.
    pub opcode: u8,
    /// Authoritative answer.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Recursion available.
    pub ra: bool,
    /// Authentic data.
    pub ad: bool,
    /// Checking disabled.
    pub cd: bool,
    /// The response code, with the OPT record's upper bits.
    pub rcode: u16,
    /// The questions: name, type, class.
    pub questions: Vec<(Name, u16, u16)>,
    /// Answer, authority and additional sections, the latter without its OPT record.
    pub sections: [Vec<Rr>; 3],
    /// The OPT record.
    pub edns: Option<Edns>,
}

impl Decoded {
    /// Decodes a whole message, to its last byte.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut decoder = BinDecoder::new(bytes);
        let message = Message::read(&mut decoder).map_err(|error| error.to_string())?;
        if !decoder.is_empty() {
            return Err(format!("{} bytes behind the last record", decoder.len()));
        }
        let metadata = message.metadata;
        if metadata.message_type != MessageType::Response {
            return Err("the reply is no response".into());
        }
        let questions = message.queries.iter().map(|query| {
            let (qtype, qclass) = (query.query_type(), query.query_class());
            (name(query.name()), qtype.into(), qclass.into())
        });
        Ok(Self {
            id: metadata.id,
            opcode: metadata.op_code.into(),
            aa: metadata.authoritative,
            tc: metadata.truncation,
            rd: metadata.recursion_desired,
            ra: metadata.recursion_available,
            ad: metadata.authentic_data,
            cd: metadata.checking_disabled,
            rcode: metadata.response_code.into(),
            questions: questions.collect(),
            sections: [&message.answers, &message.authorities, &message.additionals]
                .map(|section| section.iter().map(record).collect()),
            edns: message.edns.as_ref().map(edns),
        })
    }

    /// Decodes the reply that there must be.
    ///
    /// # Panics
    /// Where there is none, or it cannot be decoded.
    pub fn of(reply: Option<Vec<u8>>) -> Self {
        Self::read(&reply.expect("a reply")).expect("a reply that can be decoded")
    }

    /// The answer section.
    pub fn answer(&self) -> &[Rr] {
        &self.sections[0]
    }

    /// The authority section.
    pub fn authority(&self) -> &[Rr] {
        &self.sections[1]
    }

    /// The additional section.
    pub fn additional(&self) -> &[Rr] {
        &self.sections[2]
    }
}

impl Rr {
    /// The record in the form in which records are compared: names in small letters.
    pub fn canonical(&self) -> (Name, u16, u32, Vec<u8>) {
        let rdata = canonical_rdata(self.rtype, self.rdata.clone());
        (self.owner.lowered(), self.rtype, self.ttl, rdata)
    }
}

/// Data in the form in which it is compared. Numbers beside names are lowered as well, on both
/// sides alike.
pub fn canonical_rdata(rtype: u16, mut rdata: Vec<u8>) -> Vec<u8> {
    if has_names(rtype) {
        rdata.make_ascii_lowercase();
    }
    rdata
}

fn edns(edns: &hickory_proto::op::Edns) -> Edns {
    let options = edns.options().as_ref().iter().map(|(code, option)| {
        let data = Vec::try_from(option).expect("what was decoded can be encoded");
        (u16::from(*code), data)
    });
    Edns {
        size: edns.max_payload(),
        version: edns.version(),
        dnssec_ok: edns.flags().dnssec_ok,
        z: edns.flags().z,
        options: options.collect(),
    }
}

fn name(name: &rr::Name) -> Name {
    Name::of(name.iter())
}

fn record(record: &rr::Record) -> Rr {
    let mut rdata = Vec::new();
    let mut encoder = BinEncoder::new(&mut rdata);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    record
        .data
        .emit(&mut encoder)
        .expect("what was decoded can be encoded");
    Rr {
        owner: name(&record.name),
        rtype: record.record_type().into(),
        class: record.dns_class.into(),
        ttl: record.ttl,
        rdata,
        text: record.data.to_string(),
    }
}
