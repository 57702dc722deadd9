//! One connection's questions: which are under way, and which replies belong to them.

use super::questions::{PREFIX_LEN, Questions};

/// Of so many replies one is read in full.
const SAMPLE_EVERY: u64 = 1024;
/// In place of a question's number, where nothing is under way.
const NOTHING: u16 = u16::MAX;

/// What came of a load, over all its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Replies, each to a query that was under way.
    pub count: u64,
    /// Replies to nothing, replies that cannot be right, and samples that were not.
    pub wrong: u64,
    /// What was wrong with the first of them.
    pub first_wrong: Option<String>,
}

/// The queries of one connection. Their IDs are the numbers of their places.
#[derive(Debug)]
pub struct Line {
    /// By place: the number of the question that is under way there.
    asked: Box<[u16]>,
    /// Places with nothing under way.
    free: Vec<u16>,
    /// So many places must be free before more is asked: a send for every reply would be a limit.
    batch: usize,
}

impl Line {
    /// With nothing under way.
    pub fn new(pipelined: u16) -> Self {
        Self {
            asked: vec![NOTHING; pipelined.into()].into(),
            free: (0..pipelined).rev().collect(),
            batch: usize::from(pipelined).div_ceil(2),
        }
    }

    /// Writes as many queries as there are places, if that is worth a send.
    pub fn ask(&mut self, questions: &mut Questions, out: &mut Vec<u8>) {
        if self.free.len() < self.batch {
            return;
        }
        while let Some(place) = self.free.pop() {
            let number = questions.choose();
            self.asked[usize::from(place)] = number;
            questions.write(number, place, out);
        }
    }

    /// Takes all replies that are whole, in whatever order; returns how many bytes they are.
    pub fn take(&mut self, bytes: &[u8], questions: &Questions, answered: &mut Answered) -> usize {
        let mut at = 0;
        while let Some(&[high, low]) = bytes.get(at..at + PREFIX_LEN) {
            let start = at + PREFIX_LEN;
            let end = start + usize::from(u16::from_be_bytes([high, low]));
            let Some(reply) = bytes.get(start..end) else {
                break;
            };
            if let Err(why) = self.reply(reply, questions, answered) {
                answered.wrong += 1;
                answered.first_wrong.get_or_insert(why);
            }
            at = end;
        }
        at
    }

    fn reply(
        &mut self,
        reply: &[u8],
        questions: &Questions,
        answered: &mut Answered,
    ) -> Result<(), String> {
        let Some(&[high, low]) = reply.get(..2) else {
            return Err("a message without an ID".to_owned());
        };
        let place = u16::from_be_bytes([high, low]);
        let asked = self.asked.get_mut(usize::from(place));
        let number = asked.map_or(NOTHING, |asked| std::mem::replace(asked, NOTHING));
        if number == NOTHING {
            return Err(format!("a reply to {place}, which was not under way"));
        }
        self.free.push(place);
        answered.count += 1;
        if !questions.is_plausible(reply) {
            return Err(format!(
                "not an answer: {:02x?}",
                &reply[..reply.len().min(12)]
            ));
        }
        if answered.count % SAMPLE_EVERY == 1 {
            return questions.judge(number, reply);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::questions::Expects;
    use super::*;

    /// Four queries under way, and the queries.
    fn four(questions: &mut Questions) -> (Line, Vec<u8>) {
        let (mut line, mut out) = (Line::new(4), Vec::new());
        line.ask(questions, &mut out);
        (line, out)
    }

    #[test]
    fn more_is_asked_when_half_of_the_places_are_free() {
        let mut questions = Questions::new(Expects::Echo);
        let (mut line, echo) = four(&mut questions);
        let len = echo.len() / 4;
        let (mut answered, mut out) = (Answered::default(), Vec::new());
        // One and a half: the half is left.
        assert_eq!(
            line.take(&echo[..len + len / 2], &questions, &mut answered),
            len
        );
        line.ask(&mut questions, &mut out);
        assert!(out.is_empty());
        assert_eq!(
            line.take(&echo[len..2 * len], &questions, &mut answered),
            len
        );
        line.ask(&mut questions, &mut out);
        assert_eq!(out.len(), 2 * len);
        assert_eq!((answered.count, answered.wrong), (2, 0), "{answered:?}");
    }

    #[test]
    fn replies_may_come_in_any_order_but_only_once() {
        let mut questions = Questions::new(Expects::Echo);
        let (mut line, echo) = four(&mut questions);
        let mut replies: Vec<&[u8]> = echo.chunks(echo.len() / 4).collect();
        replies.reverse();
        let mut answered = Answered::default();
        line.take(&replies.concat(), &questions, &mut answered);
        assert_eq!((answered.count, answered.wrong), (4, 0), "{answered:?}");
        line.take(replies[0], &questions, &mut answered);
        assert_eq!((answered.count, answered.wrong), (4, 1));
        let first = answered.first_wrong.clone().unwrap();
        assert_eq!(first, "a reply to 3, which was not under way");
        line.take(&[0, 1, 9, 0, 2, 0, 9], &questions, &mut answered);
        assert_eq!(
            (answered.count, answered.wrong),
            (4, 3),
            "no ID, and no such place"
        );
    }

    #[test]
    fn a_sample_is_read_in_full() {
        let mut questions = Questions::new(Expects::Echo);
        let (mut line, mut echo) = four(&mut questions);
        // In the first reply's name, and in the second's, which is no sample.
        let len = echo.len() / 4;
        echo[20] ^= 1;
        echo[len + 20] ^= 1;
        let mut answered = Answered::default();
        line.take(&echo, &questions, &mut answered);
        assert_eq!((answered.count, answered.wrong), (4, 1));
    }
}
