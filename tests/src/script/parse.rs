//! Text → scripts.

use super::{Over, Script, Step, Wanted, WantedData, WantedRecord};
use crate::ask::{Ask, AskEdns};
use crate::name::Name;
use crate::record::{Data, type_of};

/// The parser's state: where it is, and what later lines add to.
struct Parser<'t> {
    file: &'t str,
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    line: usize,
    title: String,
    section: Option<usize>,
    script: Script,
}

/// Reads a whole script.
pub(super) fn script(file: &str, text: &str) -> Script {
    let mut parser = Parser {
        file,
        lines: text.lines().enumerate(),
        line: 0,
        title: String::new(),
        section: None,
        script: Script {
            file: file.to_owned(),
            zones: Vec::new(),
            exchanges: Vec::new(),
        },
    };
    while let Some(line) = parser.next() {
        parser.line(line);
    }
    let unanswered = parser
        .script
        .exchanges
        .iter()
        .find(|step| step.title.is_empty());
    assert!(
        unanswered.is_none(),
        "{file}: a query before the first `test`"
    );
    parser.script
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let (at, line) = self.lines.next()?;
        self.line = at + 1;
        Some(line)
    }

    /// Stops with the place of the line.
    fn fail(&self, message: &str) -> ! {
        panic!("{}:{}: {message}", self.file, self.line)
    }

    fn line(&mut self, line: &str) {
        let line = line.trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            _ if word.starts_with(';') => {}
            "zone" => self.zone(rest.trim()),
            "test" => self.title = rest.trim().to_owned(),
            "ask" | "raw" => {
                let (query, over) = if word == "ask" {
                    self.ask(rest)
                } else {
                    (self.hex(rest), Over::Any)
                };
                let title = self.title.clone();
                let line = self.line;
                self.script.exchanges.push(Step {
                    line,
                    title,
                    query,
                    over,
                    reply: None,
                });
                self.section = None;
            }
            "reply" => self.reply(rest),
            "answer" => self.section = Some(0),
            "authority" => self.section = Some(1),
            "additional" => self.section = Some(2),
            _ => self.record(line),
        }
    }

    /// `zone ORIGIN`, the master file, `end`; or `zone ORIGIN FILE`, a file beside the script.
    fn zone(&mut self, rest: &str) {
        if let Some((origin, file)) = rest.split_once(' ') {
            let path = std::path::Path::new(self.file).with_file_name(file.trim());
            let text = std::fs::read_to_string(&path);
            let text = text.unwrap_or_else(|error| self.fail(&error.to_string()));
            self.script.zones.push((origin.to_owned(), text));
            return;
        }
        let mut text = String::new();
        loop {
            match self.next() {
                Some("end") => break,
                Some(line) => text.extend([line, "\n"]),
                None => self.fail("`end` is missing behind the zone"),
            }
        }
        self.script.zones.push((rest.to_owned(), text));
    }

    /// `ask NAME TYPE [WORD]...`.
    fn ask(&self, rest: &str) -> (Vec<u8>, Over) {
        let mut words = rest.split_whitespace();
        let (Some(name), Some(rtype)) = (words.next(), words.next()) else {
            self.fail("a query has a name and a type");
        };
        let mut ask = Ask::new(Name::parse(name), self.rtype(rtype));
        let mut over = Over::Any;
        for word in words {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            let number = || -> u16 {
                value
                    .parse()
                    .unwrap_or_else(|_| self.fail("a number is wanted"))
            };
            let byte = || u8::try_from(number()).unwrap_or_else(|_| self.fail("too large"));
            match key {
                "rd" => ask.rd = true,
                "cd" => ask.cd = true,
                "class" => ask.qclass = number(),
                "opcode" => ask.opcode = byte(),
                "udp" => over = Over::Udp,
                "tcp" => over = Over::Tcp,
                "edns" => edns(&mut ask).size = number(),
                "version" => edns(&mut ask).version = byte(),
                "do" => edns(&mut ask).dnssec_ok = true,
                "option" => edns(&mut ask).options.extend(self.hex(value)),
                _ => self.fail(&format!("a query knows no {word}")),
            }
        }
        (ask.message(), over)
    }

    /// `reply none` or `reply RCODE [FLAG]...`.
    fn reply(&mut self, rest: &str) {
        let mut words = rest.split_whitespace().map(str::to_owned);
        let rcode = words.next().unwrap_or_default();
        let rcode = match &rcode[..] {
            "none" => return,
            "NOERROR" => 0,
            "FORMERR" => 1,
            "SERVFAIL" => 2,
            "NXDOMAIN" => 3,
            "NOTIMP" => 4,
            "REFUSED" => 5,
            "YXDOMAIN" => 6,
            "NOTAUTH" => 9,
            "BADVERS" => 16,
            _ => self.fail("a reply begins with a response code"),
        };
        let mut flags: Vec<_> = words.collect();
        flags.sort();
        let line = self.line;
        let Some(step) = self
            .script
            .exchanges
            .last_mut()
            .filter(|step| step.reply.is_none())
        else {
            panic!("{}:{line}: a reply to nothing", self.file);
        };
        step.reply = Some(Wanted {
            rcode,
            flags,
            ..Wanted::default()
        });
    }

    /// `OWNER TTL IN TYPE DATA`; `*N` as data stands for N records.
    fn record(&mut self, line: &str) {
        let (Some([owner, ttl, "IN", rtype]), Some(data)) = words(line) else {
            self.fail("a record is wanted: OWNER TTL IN TYPE DATA");
        };
        let rtype = self.rtype(rtype);
        let count = data.strip_prefix('*').and_then(|count| count.parse().ok());
        let data = match count {
            Some(count) => WantedData::Count(count),
            None => match Data::parse(rtype, data) {
                Some(data) => WantedData::One(data.wire()),
                None => self.fail("the record's data cannot be read"),
            },
        };
        let ttl = ttl
            .parse()
            .unwrap_or_else(|_| self.fail("the TTL is no number"));
        let record = WantedRecord {
            owner: Name::parse(owner),
            ttl,
            rtype,
            data,
        };
        let place = format!("{}:{}", self.file, self.line);
        let reply = self
            .script
            .exchanges
            .last_mut()
            .and_then(|step| step.reply.as_mut());
        let (Some(reply), Some(section)) = (reply, self.section) else {
            panic!("{place}: a record outside of the sections of a reply");
        };
        reply.sections[section].push(record);
    }

    fn rtype(&self, text: &str) -> u16 {
        type_of(text).unwrap_or_else(|| self.fail(&format!("no type {text}")))
    }

    fn hex(&self, text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text
            .chars()
            .filter(|char| !char.is_whitespace())
            .map(|char| {
                char.to_digit(16)
                    .unwrap_or_else(|| self.fail("no hexadecimal digit"))
            })
            .collect();
        let bytes = digits
            .chunks(2)
            .map(|pair| u8::try_from(pair[0] << 4 | pair[1]));
        bytes
            .collect::<Result<_, _>>()
            .unwrap_or_else(|_| self.fail("a byte has two digits"))
    }
}

/// The query's OPT record, added if there is none yet.
fn edns(ask: &mut Ask) -> &mut AskEdns {
    ask.edns.get_or_insert_with(AskEdns::default)
}

/// The first four words of a line, and the rest of it.
fn words(line: &str) -> (Option<[&str; 4]>, Option<&str>) {
    let mut rest = line;
    let mut first = Vec::new();
    while first.len() < 4 {
        let Some((word, behind)) = rest.split_once(char::is_whitespace) else {
            return (None, None);
        };
        first.push(word);
        rest = behind.trim_start();
    }
    (first.try_into().ok(), Some(rest))
}
