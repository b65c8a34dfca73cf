//! Sizes of volumes.

use crate::name::name;
use crate::property::mount::is_decimal;

name!(
    /// The size that a volume should get, or with `+` how much it should grow: `8G`, `+512M`, `+1.5T`.
    ///
    /// The units K, M, G and T are powers of 1024; without one the number counts bytes. A volume cannot shrink.
    ///
    /// Source: pve-container `PVE/API2/LXC.pm`, `resize_vm`; recordings `resize-ok`, `resize-shrink`.
    DiskSize,
    "a size",
    "a number with an optional K, M, G or T, and with `+` before it to grow by so much",
    |text| {
        let number = text.strip_prefix('+').unwrap_or(text);
        is_decimal(number.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(number))
    }
);

impl DiskSize {
    /// Whether it says how much to grow.
    pub fn is_relative(&self) -> bool {
        self.as_str().starts_with('+')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_absolute_or_relative() {
        let read =
            ["8G", "+512M", "1.5T", "1073741824"].map(|text| text.parse::<DiskSize>().unwrap().is_relative());
        assert_eq!(read, [false, true, false, false]);
    }

    #[test]
    fn other_units_and_signs_are_refused() {
        let refused = ["", "+", "G", "8GB", "8g", "-1G", "++1G", "1.G", "1e3"]
            .map(|text| text.parse::<DiskSize>().is_err());
        assert_eq!(refused, [true; 9]);
    }
}
