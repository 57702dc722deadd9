//! What was found out about an interface or the host, and what to do about it.

use std::fmt;

/// How good or bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// As it should be, or nothing that can be changed.
    Fine,
    /// It works, but not as well as it could.
    Warning,
    /// With this, `ripples run` does not start.
    Error,
}

/// A fact, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The interface, or `host`.
    pub(super) subject: String,
    /// How good or bad it is.
    pub(super) grade: Grade,
    /// What it is about, in a word or two.
    pub(super) topic: &'static str,
    /// What is the case.
    pub(super) fact: String,
    /// What to do about it: a command, or advice.
    pub(super) remedy: Option<String>,
}

impl Finding {
    /// Something as it should be.
    pub(super) fn fine(subject: &str, topic: &'static str, fact: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            grade: Grade::Fine,
            topic,
            fact: fact.into(),
            remedy: None,
        }
    }

    /// Something that could be better, and how.
    pub(super) fn warning(
        subject: &str,
        topic: &'static str,
        fact: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            grade: Grade::Warning,
            remedy: Some(remedy.into()),
            ..Self::fine(subject, topic, fact)
        }
    }

    /// A warning, where there is something that works instead; else an error.
    pub(super) fn lack(
        falls_back: bool,
        subject: &str,
        topic: &'static str,
        fact: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let grade = if falls_back {
            Grade::Warning
        } else {
            Grade::Error
        };
        Self {
            grade,
            ..Self::warning(subject, topic, fact, remedy)
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            grade,
            topic,
            fact,
            remedy,
        } = self;
        write!(f, "{subject}: {grade}: {topic}: {fact}")?;
        match remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}
