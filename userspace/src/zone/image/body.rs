//! What a name answers: records as they are sent, and the pointers in them.

use bytemuck::{Pod, Zeroable};

/// Set in an entry's place when the body is woven.
pub(in crate::zone) const WOVEN: u32 = 1 << 31;

/// Bytes of a body in which compression pointers are listed as patches. Behind them only the owners
/// of records are pointers.
pub(crate) const PATCHED_LEN: usize = 0x4000;

/// Names in a body are pointed to if they begin before this offset in the message that it was
/// compiled for. Pointers reach twice as far (RFC 1035 §4.1.4), so that there is room before it.
pub(crate) const BODY_REACH: usize = 0x2000;

/// Header of a plain body: each without signatures, and with them.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(in crate::zone) struct Plain {
    pub(in crate::zone) counts: [u16; 2],
    /// Of the records, if they begin at an even offset: see `Sum::folded`.
    pub(in crate::zone) sums: [u16; 2],
}

/// A body that was found but not read yet.
#[derive(Clone, Copy)]
pub struct BodyRef<'i> {
    /// The body and what stands behind it.
    head: &'i [u8],
    len: u16,
    /// Signatures stand behind the records.
    signed: bool,
    woven: bool,
}

/// A body that is taken as it is, apart from its pointers.
#[derive(Clone, Copy)]
pub struct Whole<'i> {
    /// The records and what stands behind them.
    pub records: &'i [u8],
    /// Bytes of the records.
    pub len: usize,
    /// Records per section.
    pub counts: [u16; 3],
    /// Their part of a checksum, if they begin at an even offset of the message.
    pub sum: u16,
    /// Of a woven body: where in the message its pointers are right.
    pub base: usize,
    /// Of a woven body: its pointers.
    pub patches: &'i [[u8; 2]],
}

impl<'i> BodyRef<'i> {
    /// The body that an entry describes.
    #[inline(always)]
    pub(super) fn new(image: &'i [u8], place: u32, len: u16, signed: bool) -> Self {
        Self {
            head: &image[(place & !WOVEN) as usize * 4..],
            len,
            signed,
            woven: place & WOVEN != 0,
        }
    }

    /// The memory that `read` touches first, to be fetched ahead.
    pub fn head(&self) -> &'i [u8] {
        self.head
    }

    /// Whether it has other pointers than owner pointers.
    #[inline(always)]
    pub fn is_woven(&self) -> bool {
        self.woven
    }

    /// A body that is plain.
    #[inline(always)]
    pub fn plain(&self) -> Whole<'i> {
        let (header, records) = self.head.split_at(size_of::<Plain>());
        let header: Plain = bytemuck::pod_read_unaligned(header);
        let form = usize::from(self.signed);
        Whole {
            records,
            len: usize::from(self.len),
            counts: [header.counts[form], 0, 0],
            sum: header.sums[form],
            base: 0,
            patches: &[],
        }
    }

    /// A body that is woven.
    #[inline(always)]
    pub fn woven(&self) -> Whole<'i> {
        let (fixed, rest) = self.head.split_at(size_of::<Woven>());
        let woven: Woven = bytemuck::pod_read_unaligned(fixed);
        let (patches, rest) = rest.split_at(usize::from(woven.patch_count) * 2);
        let lens = [woven.answer_len, woven.authority_len, woven.additional_len];
        Whole {
            records: &rest[usize::from(woven.cut_count) * 4..],
            len: lens.into_iter().map(usize::from).sum(),
            counts: woven.counts,
            sum: woven.sum,
            base: usize::from(woven.base),
            patches: patches.as_chunks().0,
        }
    }

    /// Reads the body.
    pub fn read(&self) -> Body<'i> {
        if self.woven {
            return Body::woven(self.head);
        }
        let whole = self.plain();
        Body {
            records: &whole.records[..whole.len],
            counts: whole.counts,
            answer_len: whole.len,
            authority_len: 0,
            weave: None,
        }
    }
}

/// Header of a woven body.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(in crate::zone) struct Woven {
    pub(in crate::zone) counts: [u16; 3],
    pub(in crate::zone) answer_len: u16,
    pub(in crate::zone) authority_len: u16,
    pub(in crate::zone) additional_len: u16,
    pub(in crate::zone) base: u16,
    pub(in crate::zone) patch_count: u16,
    pub(in crate::zone) cut_count: u16,
    /// 1: the additional records are glue that a referral needs (RFC 9471).
    pub(in crate::zone) glue: u16,
    /// As in a plain body.
    pub(in crate::zone) sum: u16,
    pub(in crate::zone) reserved: u16,
}

/// Records of an answer as they are sent, with what must be set right in them.
#[derive(Clone, Copy, Debug)]
pub struct Body<'i> {
    /// Answer, authority and additional records, one behind the other.
    pub records: &'i [u8],
    /// Records per section.
    pub counts: [u16; 3],
    /// Bytes of the answer section.
    pub answer_len: usize,
    /// Bytes of the authority section.
    pub authority_len: usize,
    /// Names that are compressed, where there are any. Without: each record's owner is a pointer to
    /// byte 12, and nothing else is compressed.
    pub weave: Option<Weave<'i>>,
}

/// The compression pointers of a body.
#[derive(Clone, Copy, Debug)]
pub struct Weave<'i> {
    /// Offset in the message of the body's first byte, for which the pointers are right when QNAME
    /// is the owner.
    pub base: usize,
    /// Whether the additional section is a referral's glue.
    pub glue: bool,
    patches: &'i [[u8; 2]],
    cuts: &'i [[u8; 4]],
}

/// A compression pointer: what it points to decides how it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// To the owner's name.
    Owner = 0,
    /// To a part of the owner's name: moves with that name's end.
    Suffix = 1,
    /// To a name in the body: moves with the body's start.
    Body = 2,
}

impl Pointer {
    /// What a patch says: what is pointed to, and where in the records the pointer stands.
    #[inline(always)]
    pub fn patched(patch: &[u8; 2]) -> (Self, usize) {
        let patch = u16::from_le_bytes(*patch);
        let pointer = match patch >> 14 {
            0 => Self::Owner,
            1 => Self::Suffix,
            _ => Self::Body,
        };
        (pointer, usize::from(patch & 0x3fff))
    }
}

impl<'i> Weave<'i> {
    /// The pointers: what each points to, and its offset in the records.
    pub fn patches(&self) -> impl Iterator<Item = (Pointer, usize)> {
        self.patches.iter().map(Pointer::patched)
    }

    /// Where the additional section may end: bytes and records of it up to each RRset's end.
    pub fn cuts(&self) -> impl DoubleEndedIterator<Item = (usize, u16)> {
        self.cuts.iter().map(|&[a, b, c, d]| {
            (
                usize::from(u16::from_le_bytes([a, b])),
                u16::from_le_bytes([c, d]),
            )
        })
    }
}

impl<'i> Body<'i> {
    fn woven(head: &'i [u8]) -> Self {
        let (fixed, rest) = head.split_at(size_of::<Woven>());
        let woven: Woven = bytemuck::pod_read_unaligned(fixed);
        let (patches, rest) = rest.split_at(usize::from(woven.patch_count) * 2);
        let (cuts, rest) = rest.split_at(usize::from(woven.cut_count) * 4);
        let answer_len = usize::from(woven.answer_len);
        let authority_len = usize::from(woven.authority_len);
        let len = answer_len + authority_len + usize::from(woven.additional_len);
        Self {
            records: &rest[..len],
            counts: woven.counts,
            answer_len,
            authority_len,
            weave: Some(Weave {
                base: usize::from(woven.base),
                glue: woven.glue != 0,
                patches: patches.as_chunks().0,
                cuts: cuts.as_chunks().0,
            }),
        }
    }
}
