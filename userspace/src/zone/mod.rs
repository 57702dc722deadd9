//! What is known: zones, from the text of master files to what a query is answered from.
//!
//! `master` reads text and hands records to `records`, which keeps them sorted; `check` judges them
//! as a zone. Loading may fail and allocate.

pub mod check;
pub mod error;
mod load;
mod master;
pub mod rdata;
pub mod records;
pub mod rtype;

pub use load::load;
