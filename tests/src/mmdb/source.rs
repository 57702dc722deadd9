//! Databases as text: what `xtask/demo/geo.toml` says of networks.

use super::{Datum, Writer};
use ripples::geo::Network;
use toml::{Table, Value};

/// What is wrong with the text.
pub type SourceProblem = String;

/// The database that a text describes: `type`, `epoch`, and a table `networks` that has for each
/// network its `continent`, `country`, `subdivisions`, `location` and `asn`, or some of them.
pub fn from_toml(text: &str) -> Result<Writer, SourceProblem> {
    let source: Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.to_string())?;
    let database_type = source
        .get("type")
        .and_then(Value::as_str)
        .ok_or("type: missing")?;
    let mut writer = Writer::new(database_type);
    let epoch = source
        .get("epoch")
        .and_then(Value::as_integer)
        .ok_or("epoch: missing")?;
    writer.build_epoch = u64::try_from(epoch).map_err(|error| format!("epoch: {error}"))?;
    let networks = source
        .get("networks")
        .and_then(Value::as_table)
        .ok_or("networks: missing")?;
    for (text, says) in networks {
        let network: Network = text
            .parse()
            .map_err(|problem| format!("{text:?} {problem}"))?;
        let says = says.as_table().ok_or_else(|| format!("{text}: no table"))?;
        let datum = datum(says).map_err(|problem| format!("{text}: {problem}"))?;
        writer.networks.push((network, datum));
    }
    Ok(writer)
}

fn datum(says: &Table) -> Result<Datum, SourceProblem> {
    let mut pairs = Datum::Map(Vec::new());
    for (key, value) in says {
        let datum = match (&**key, value) {
            ("continent", Value::String(code)) => coded("code", code),
            ("country", Value::String(code)) => coded("iso_code", code),
            ("subdivisions", Value::Array(parts)) => {
                let codes = parts
                    .iter()
                    .map(|part| Some(coded("iso_code", part.as_str()?)));
                let codes: Option<_> = codes.collect();
                Datum::Array(codes.ok_or("subdivisions: no list of codes")?)
            }
            ("location", Value::Array(place)) => match place[..] {
                [Value::Float(latitude), Value::Float(longitude)] => Datum::map([
                    ("latitude", Datum::Double(latitude)),
                    ("longitude", Datum::Double(longitude)),
                ]),
                _ => return Err("location: not [latitude, longitude]".to_owned()),
            },
            ("asn", Value::Integer(asn)) => {
                let asn = u32::try_from(*asn).map_err(|error| format!("asn: {error}"))?;
                pairs = pairs.with("autonomous_system_number", Datum::U32(asn));
                continue;
            }
            _ => return Err(format!("{key}: unknown, or of another type")),
        };
        pairs = pairs.with(key, datum);
    }
    Ok(pairs)
}

fn coded(key: &str, code: &str) -> Datum {
    Datum::map([(key, Datum::Text(code.to_owned()))])
}
