//! Master files → records → compiled zones → lookup. Loading may fail and allocate, lookup never.

pub mod compile;
pub mod error;
pub mod image;
pub mod index;
pub mod load;
mod master;
pub mod rdata;
pub mod records;
pub mod rtype;
