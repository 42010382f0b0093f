//! What rows ask of a request beyond its texts: one file a signal, each pure, without allocation, and linear in what it
//! reads. The model decides which of them are asked for.

pub(crate) mod accept_language;
pub(crate) mod fields;
pub(crate) mod header_order;
pub(crate) mod hints;
pub(crate) mod path;
pub(crate) mod scanner_path;
