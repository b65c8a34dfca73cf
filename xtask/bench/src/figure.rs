//! The figures, one file each, and what they give.

mod against;
mod f1;
mod f2;
mod f3;
mod f4;
mod f5;
mod f6;
mod f7;
mod f8;
mod python;

pub(crate) use f3::SELFTEST;

use crate::Res;
use crate::curves::Curve;
use crate::table::FigureRow;

/// How much is measured, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Fewer rounds, and all waits at the same time.
    pub(crate) is_quick: bool,
    /// The binary that ships.
    pub(crate) agent: std::path::PathBuf,
    /// A checkout to compare decoding with.
    pub(crate) against: Option<std::path::PathBuf>,
}

/// What a figure says.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) rows: Vec<FigureRow>,
    /// What a reader must know of how it was taken, or what was left out.
    pub(crate) notes: Vec<String>,
    pub(crate) curves: Vec<Curve>,
}

/// A figure by its name.
type Figure = (&'static str, fn(&Extent) -> Res<Measured>);

pub(crate) const ALL: &[Figure] = &[
    ("F1", f1::measure),
    ("F2", f2::measure),
    ("F3", f3::measure),
    ("F4", f4::measure),
    ("F5", f5::measure),
    ("F6", f6::measure),
    ("F7", f7::measure),
    ("F8", f8::measure),
];
