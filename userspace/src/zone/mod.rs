//! What is known: zones, from the text of master files to what a query is answered from.
//!
//! `master` reads text and hands records to `records`, which keeps them sorted; `check` judges them
//! as a zone; `compile` turns them into the image that is served, `index` finds names over all
//! images. Loading may fail and allocate, lookup never.

mod buffer;
pub mod check;
pub mod checked;
pub mod compile;
pub mod error;
pub mod image;
pub mod index;
pub mod load;
mod master;
pub mod nsec3;
pub mod progress;
pub mod rdata;
pub mod records;
pub mod rtype;
pub mod saved;
pub mod served;
mod threads;
pub mod variants;
