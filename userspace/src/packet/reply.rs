//! Writes an answer behind the question.
