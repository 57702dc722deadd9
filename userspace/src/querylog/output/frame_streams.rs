//! Frame Streams: frames of bytes in a row, with control frames that say what they are.
//!
//! <https://farsightsec.github.io/fstrm/>

use std::io::{self, Read, Write};

const ACCEPT: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
const READY: u32 = 4;
const FINISH: u32 = 5;
/// The only field of control frames.
const CONTENT_TYPE: u32 = 1;
/// The longest control frame.
const CONTROL_LEN_MAX: usize = 512;

/// The frame that a stream of this type begins with.
pub(super) fn start(content_type: &str) -> Vec<u8> {
    control(START, Some(content_type))
}

/// The frame that it ends with.
pub(super) fn stop() -> Vec<u8> {
    control(STOP, None)
}

/// Agrees with a reader on what comes, and begins.
pub(super) fn open(stream: &mut (impl Read + Write), content_type: &str) -> io::Result<()> {
    stream.write_all(&control(READY, Some(content_type)))?;
    let body = expect(stream, ACCEPT)?;
    if !offers(&body, content_type) {
        let problem = format!("the reader does not take {content_type}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    stream.write_all(&start(content_type))
}

/// Ends, and waits until the reader has read all.
pub(super) fn close(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stream.write_all(&stop())?;
    expect(stream, FINISH).map(|_| ())
}

/// A control frame: an escape (a data frame of no length), its length, its type, its fields.
fn control(kind: u32, content_type: Option<&str>) -> Vec<u8> {
    let mut body = kind.to_be_bytes().to_vec();
    if let Some(content_type) = content_type {
        body.extend(CONTENT_TYPE.to_be_bytes());
        body.extend(length(content_type.len()));
        body.extend(content_type.as_bytes());
    }
    let mut frame = vec![0; 4];
    frame.extend(length(body.len()));
    frame.extend(body);
    frame
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

/// Reads a control frame of this kind. Returns its fields.
fn expect(stream: &mut impl Read, kind: u32) -> io::Result<Vec<u8>> {
    let invalid = |problem: &str| io::Error::new(io::ErrorKind::InvalidData, problem.to_owned());
    let mut word = [0; 4];
    stream.read_exact(&mut word)?;
    if word != [0; 4] {
        return Err(invalid("the reader sends data"));
    }
    stream.read_exact(&mut word)?;
    let len = u32::from_be_bytes(word) as usize;
    if !(4..=CONTROL_LEN_MAX).contains(&len) {
        return Err(invalid(
            "the reader sends a control frame of no legal length",
        ));
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body)?;
    match body.strip_prefix(&kind.to_be_bytes()) {
        Some(fields) => Ok(fields.to_vec()),
        None => Err(invalid(
            "the reader sends another control frame than it should",
        )),
    }
}

/// Whether one of the fields is this type. A reader that names none takes any.
fn offers(mut fields: &[u8], content_type: &str) -> bool {
    let mut is_any = true;
    while let Some((field, rest)) = fields.split_first_chunk::<4>()
        && let Some((len, rest)) = rest.split_first_chunk::<4>()
        && let Some((value, rest)) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)
    {
        if *field == CONTENT_TYPE.to_be_bytes() {
            is_any = false;
            if value == content_type.as_bytes() {
                return true;
            }
        }
        fields = rest;
    }
    is_any
}
