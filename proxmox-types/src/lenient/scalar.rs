//! PVE's loose scalars.
//!
//! Perl decides per value whether a scalar is printed as a number or as a text, so one field arrives as `105`, `"105"`
//! or `105.0`. A boolean is 1, 0, `"1"`, `"0"`, `""`, true, false, null or a word such as `on`; an integer is a number, a
//! numeric text or an integral float; a text is any scalar. Nothing wraps around and nothing is rounded.
//!
//! Source: pve-common `PVE/JSONSchema.pm` and the recordings; seen in `GET /cluster/nextid`, `pressure*`, `loadavg`.

use alloc::borrow::Cow;

use serde::de::Unexpected;
use serde_json::Number;

/// A scalar, or the beginning of something that is none.
pub(super) enum Token<'t> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'t, str>),
    /// An array, of which the bracket is read.
    List,
    /// An object, of which the brace is read.
    Object,
}

impl Token<'_> {
    /// The integer that it stands for, if it stands for one exactly.
    pub(super) fn integer(&self) -> Option<i128> {
        match self {
            Self::Unsigned(number) => Some((*number).into()),
            Self::Signed(number) => Some((*number).into()),
            Self::Float(number) => integral(*number),
            Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse().ok().and_then(integral))
            }
            Self::Null | Self::Bool(_) | Self::List | Self::Object => None,
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        const TRUE: [&str; 4] = ["1", "on", "yes", "true"];
        const FALSE: [&str; 5] = ["0", "", "off", "no", "false"];
        match self {
            Self::Null => Some(false),
            Self::Bool(flag) => Some(*flag),
            Self::Text(text) => {
                let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
                if is(&TRUE) { Some(true) } else { is(&FALSE).then_some(false) }
            }
            number => match number.integer()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
        }
    }

    /// The finite number that it stands for.
    pub(super) fn float(&self) -> Option<f64> {
        match self {
            Self::Unsigned(number) => Number::from(*number).as_f64(),
            Self::Signed(number) => Number::from(*number).as_f64(),
            Self::Float(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Null | Self::Bool(_) | Self::List | Self::Object => None,
        }
    }

    /// Whether it is a text that stands for nothing.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    pub(super) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(flag) => Unexpected::Bool(*flag),
            Self::Unsigned(number) => Unexpected::Unsigned(*number),
            Self::Signed(number) => Unexpected::Signed(*number),
            Self::Float(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
            Self::List => Unexpected::Seq,
            Self::Object => Unexpected::Map,
        }
    }
}

/// The integer that a float stands for, if it stands for one exactly. PVE prints integers above 1e15 as floats.
fn integral(value: f64) -> Option<i128> {
    // 2^64 and beyond is no size, no time and no count of PVE's.
    const BOUND: f64 = 18_446_744_073_709_551_616.0;
    if value.is_finite() && value.abs() < BOUND && value % 1.0 == 0.0 {
        // Formatting is exact for an integral float and needs no numeric cast.
        alloc::format!("{value:.0}").parse().ok()
    } else {
        None
    }
}
