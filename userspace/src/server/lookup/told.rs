//! What is told of a way, to people and to programs.

use super::client::Asker;
use super::way::{End, Member, Varied, Way, Whose};
use crate::name;
use serde_json::{Value, json};
use std::fmt::Write;

/// For people: a paragraph for each name and type that varies, and what is at the end.
pub(super) fn text(way: &Way, asker: &Asker) -> String {
    let paragraphs = way.choices.iter().map(|varied| varied.text(asker));
    let mut text: String = paragraphs.collect();
    let (name, last) = (name::display(&way.name), name::display(&way.last));
    let is_alias = way.name != way.last;
    let via = match is_alias {
        true => format!("{name} is an alias of {last}, which"),
        false => name.to_string(),
    };
    let end = match way.end {
        End::Name if !way.choices.is_empty() && !is_alias => return text,
        End::Name if way.choices.iter().any(|varied| varied.name == way.last) => {
            format!("{via} varies")
        }
        End::Name => format!("{via} has no variants"),
        End::NoName => format!("{via} does not exist"),
        End::NoZone => format!("{via} is in no zone that is served here"),
        End::Delegation => format!("{via} is delegated to other servers"),
        End::Loop => format!("{name} is an alias in a circle, or a chain that is too long"),
        End::TooLong => format!("{via} gets too long by a DNAME record"),
    };
    text.push_str(&end);
    text.push('\n');
    text
}

/// For programs: each name and type that varies.
pub(super) fn json(way: &Way) -> Value {
    way.choices.iter().map(Varied::json).collect()
}

impl End {
    /// What it is called in JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NoName => "no-name",
            Self::NoZone => "no-zone",
            Self::Delegation => "delegation",
            Self::Loop => "loop",
            Self::TooLong => "too-long",
        }
    }
}

impl Varied {
    fn text(&self, asker: &Asker) -> String {
        let (name, rtype) = (name::display(&self.name), self.type_text());
        let mut text = format!("{name} {rtype}: {}\n", self.why());
        let total: u32 = self.members.iter().map(|member| member.weight).sum();
        for (place, member) in self.members.iter().enumerate() {
            let gets = self.gets(place);
            let share = match self.members.len() {
                1 => String::new(),
                _ => format!("weight {} of {total}, ", member.weight),
            };
            let from = member.line.as_deref().unwrap_or("records for everybody");
            // A string takes all.
            let _ = writeln!(text, "  {share}{from}{gets}");
            for (ttl, data) in &member.records {
                let _ = writeln!(text, "    {ttl} {rtype} {data}");
            }
        }
        let least = match asker.subnet {
            None if self.is_by_client => ", or all of its prefix where that is longer",
            _ => "",
        };
        let _ = writeln!(text, "  scope of a client subnet: {}{least}", self.scope);
        text
    }

    /// Which variants these are, and why.
    fn why(&self) -> String {
        let Some((map, region)) = &self.region else {
            return "clients of any region get the same".to_owned();
        };
        match &self.whose {
            Whose::Own => format!("region {region} of map {map}"),
            Whose::Fallback(other) => {
                format!("nothing for region {region} of map {map}, {other} stands in")
            }
            Whose::Any => {
                format!("nothing for region {region} of map {map}, so what is for any")
            }
            Whose::Everybody => {
                format!("nothing for region {region} of map {map}, so what everybody gets")
            }
        }
    }

    /// Whether the client gets the member at this place.
    fn gets(&self, place: usize) -> &'static str {
        match self.chosen {
            _ if self.members.len() == 1 => "",
            None => ", drawn anew with each query",
            Some(chosen) if chosen == place => ": this client gets it, always",
            Some(_) => "",
        }
    }

    fn json(&self) -> Value {
        let total: u32 = self.members.iter().map(|member| member.weight).sum();
        let members = self.members.iter().enumerate();
        let members = members.map(|(place, member)| {
            let is_chosen = self.chosen.map(|chosen| chosen == place);
            member.json(total, is_chosen)
        });
        let (kind, other) = match &self.whose {
            Whose::Own => ("own", None),
            Whose::Fallback(region) => ("fallback", Some(region)),
            Whose::Any => ("any", None),
            Whose::Everybody => ("everybody", None),
        };
        json!({
            "name": name::display(&self.name).to_string(),
            "type": self.type_text(),
            "map": self.region.as_ref().map(|(map, _)| map),
            "region": self.region.as_ref().map(|(_, region)| region),
            "from": kind,
            "fallback": other,
            "members": members.collect::<Vec<_>>(),
            "chosen_by_client": self.is_by_client,
            "scope": self.scope,
        })
    }
}

impl Member {
    /// `is_chosen`: none where it is drawn.
    fn json(&self, total: u32, is_chosen: Option<bool>) -> Value {
        let records = self.records.iter();
        let records = records.map(|(ttl, data)| json!({ "ttl": ttl, "data": data }));
        json!({
            "line": self.line,
            "weight": self.weight,
            "share": f64::from(self.weight) / f64::from(total),
            "chosen": is_chosen,
            "records": records.collect::<Vec<_>>(),
        })
    }
}
