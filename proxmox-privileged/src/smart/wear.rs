//! How much of an SSD's rated life is used up, by the ATA attributes that are known to say it.
//!
//! The same id, and even the same name, means the opposite on another vendor's disk, so that only what stands in the table
//! counts. Known by name and left out: `Perc_Write/Erase_Count` (raw, in steps that differ), `Percent_Life_Used` and
//! `Drive_Life_Used%` (nothing says which way they count), `Endurance_Limit_Met` (no percentage), `Available_Reservd_Space`
//! (spare blocks, no wear).
//!
//! Source: smartmontools 7.3 `drivedb.h` for ids and names; `PVE/Diskmanage.pm`, `get_wear_leveling_info`, for the normalised
//! values that PVE takes for the life that is left; else as said at the row.

use serde_json::Value;

use super::json::{attributes, first, raw};

/// One way in which an attribute says it.
struct WearRow {
    id: u64,
    names: &'static [&'static str],
    place: ValuePlace,
    says: Says,
}

/// Which of its values an attribute says it with.
#[derive(Clone, Copy)]
enum ValuePlace {
    /// The one that the vendor scaled.
    Normalised,
    /// The raw one.
    Raw,
    /// The raw one of a disk that sets no threshold: where it does, the normalised value is the one that moves.
    RawWithoutThreshold,
}

/// What the percentage is of.
#[derive(Clone, Copy)]
enum Says {
    Left,
    Used,
}

const fn row(id: u64, names: &'static [&'static str], place: ValuePlace, says: Says) -> WearRow {
    WearRow { id, names, place, says }
}

const TABLE: [WearRow; 19] = {
    use Says::{Left, Used};
    use ValuePlace::{Normalised, Raw, RawWithoutThreshold};
    [
        // Innodisk, Silicon Motion, StorFly: recorded as 95 and 95; some keep the normalised value at 100.
        row(169, &["Lifetime_Remaining%", "Remaining_Lifetime_Perc"], Normalised, Left),
        row(169, &["Remaining_Lifetime_Perc"], Raw, Left),
        // Apple, Crucial, Samsung, SK hynix, STEC. Apple's goes beyond 100 and is not believed.
        row(173, &["Wear_Leveling_Count"], Normalised, Left),
        // Samsung, Intel, Kingston, Plextor and SanDisk; raw counts erasures.
        row(177, &["DriveLife_Remaining%", "Lifetime_Remaining%", "Wear_Leveling_Count"], Normalised, Left),
        row(178, &["SSD_Life_Left"], Normalised, Left),
        row(201, &["Lifetime_Remaining%", "Percent_Lifetime_Remain"], Normalised, Left),
        // Crucial and Micron: "norm = max(100-raw,0); raw = percent_lifetime_used"; recorded as 49 and 51, 75 and 25.
        row(202, CRUCIAL, Normalised, Left),
        row(202, CRUCIAL, Raw, Used),
        // Indilinx Barefoot has no normalised values; recorded as 87 and 97.
        row(209, &["Remaining_Lifetime_Perc"], Raw, Left),
        // WD and SanDisk: new disks say 1, recorded as 4 after 3.06 % in raw; v-zhuravlev/zbx-smartctl#148.
        row(230, &["Media_Wearout_Indicator"], Normalised, Used),
        row(231, LEFT_231, Normalised, Left),
        // Kingston and others with Phison's controller: recorded as 100 and 74, 100 and 97, 95 and 95, all without threshold.
        // SandForce sets one and has 0 or 1 in raw.
        row(231, &["SSD_Life_Left"], RawWithoutThreshold, Left),
        // Intel, Samsung, Plextor.
        row(233, &["Media_Wearout_Indicator"], Normalised, Left),
        // OCZ.
        row(233, &["Remaining_Lifetime_Perc"], Normalised, Left),
        row(233, &["Remaining_Lifetime_Perc"], RawWithoutThreshold, Left),
        row(234, &["Perc_Write/Erase_Ct_BC"], Normalised, Left),
        // Dell's Intel, SanDisk, SK hynix.
        row(245, &["Drive_Life_Remaining%", "Percent_Life_Remaining", "SSD_Life_Left"], Normalised, Left),
        // StorFly, ATP, Swissbit, Innodisk.
        row(248, &["Lifetime_Remaining%", "PCT_Life_Remaining"], Normalised, Left),
        row(248, &["Perc_Rated_Life_Remain", "Remaining_Life"], Normalised, Left),
    ]
};

const CRUCIAL: &[&str] = &["Percent_Lifetime_Remain", "Percent_Lifetime_Used", "Perc_Rated_Life_Used"];

const LEFT_231: &[&str] = &[
    "Lifetime_Left",
    "Perc_Rated_Life_Remain",
    "Percent_Lifetime_Remain",
    "SSD_Life_Left",
    "SSD_Life_Left_Perc",
];

/// Where NVMe, SCSI and newer versions of smartctl say it. One byte; 255 is 255 % or more.
///
/// Source: NVMe base specification, "SMART / Health Information", SBC-4, "Solid State Media log page".
const USED: [&str; 3] = [
    "/nvme_smart_health_information_log/percentage_used",
    "/endurance_used/current_percent",
    "/scsi_percentage_used_endurance_indicator",
];

/// The worst believable of everything that says it.
pub(super) fn wear(document: &Value) -> Option<u64> {
    let told = USED.iter().filter_map(|pointer| first(document, &[pointer])).filter(|used| *used <= 255);
    let of = |attribute| TABLE.iter().filter_map(move |row| row.used(attribute));
    told.chain(attributes(document).flat_map(of)).max()
}

impl WearRow {
    /// What an attribute says by this row, as life that is used up.
    fn used(&self, attribute: &Value) -> Option<u64> {
        let name = attribute.get("name")?.as_str()?;
        if first(attribute, &["/id"]) != Some(self.id) || !self.names.contains(&name) {
            return None;
        }
        let (value, raw) = (first(attribute, &["/value"]), raw(attribute));
        match (self.place, self.says) {
            // 0 and 0 is an attribute that the disk does not keep.
            (ValuePlace::Normalised, Says::Left) if value == Some(0) && raw == Some(0) => None,
            (ValuePlace::Normalised, Says::Left) => 100_u64.checked_sub(value?),
            (ValuePlace::Normalised, Says::Used) => value.filter(|used| *used <= 200),
            (ValuePlace::RawWithoutThreshold, _) if first(attribute, &["/thresh"]).unwrap_or(0_u64) > 0 => {
                None
            }
            (_, Says::Left) => raw.filter(|left| *left > 0).and_then(|left| 100_u64.checked_sub(left)),
            // The same number twice is no count of its own.
            (_, Says::Used) => raw.filter(|used| *used <= 255 && raw != value),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use serde_json::json;

    use super::*;

    /// An attribute of the table: id, name, normalised value, threshold, raw value, as text if it is in another form.
    type Attribute = (u64, &'static str, u64, u64, &'static str);

    fn disk(attributes: &[Attribute]) -> Value {
        let attribute = |(id, name, value, thresh, raw): &Attribute| {
            let number =
                raw.strip_prefix("0x").map_or_else(|| raw.parse(), |hex| u64::from_str_radix(hex, 16));
            json!({"id": id, "name": name, "value": value, "thresh": thresh,
                   "raw": {"value": number.unwrap_or(98_786_738_216), "string": raw}})
        };
        json!({"ata_smart_attributes": {"table": attributes.iter().map(attribute).collect::<Vec<_>>()}})
    }

    fn used(attributes: &[Attribute]) -> Option<u64> {
        wear(&disk(attributes))
    }

    #[test]
    fn each_recorded_disk_tells_its_wear_by_its_own_attribute() {
        let rows: [(Attribute, Option<u64>); 20] = [
            // WD and SanDisk count up.
            ((230, "Media_Wearout_Indicator", 1, 0, "0x000100010001"), Some(1)),
            ((230, "Media_Wearout_Indicator", 1, 0, "23 8 23 40"), Some(1)),
            ((230, "Media_Wearout_Indicator", 4, 0, "1093 306 1093"), Some(4)),
            ((230, "Media_Wearout_Indicator", 97, 0, "0x25e4043a25e4"), Some(97)),
            // Kingston KC400 and another Phison say it in raw.
            ((231, "SSD_Life_Left", 100, 0, "74"), Some(26)),
            ((231, "SSD_Life_Left", 100, 0, "97"), Some(3)),
            ((231, "SSD_Life_Left", 95, 0, "95"), Some(5)),
            // SandForce has nothing in raw, Seagate three numbers at once.
            ((231, "SSD_Life_Left", 96, 10, "0"), Some(4)),
            ((231, "SSD_Life_Left", 100, 10, "1"), Some(0)),
            ((231, "SSD_Life_Left", 93, 10, "0x00000000645d00"), Some(7)),
            // Crucial and Micron: normalised down, raw up, by all names.
            ((202, "Percent_Lifetime_Remain", 49, 1, "51"), Some(51)),
            ((202, "Percent_Lifetime_Used", 75, 0, "25"), Some(25)),
            ((202, "Perc_Rated_Life_Used", 100, 1, "0"), Some(0)),
            ((202, "Percent_Lifetime_Remain", 0, 1, "117"), Some(117)),
            // Samsung and Crucial count erasures in raw.
            ((177, "Wear_Leveling_Count", 62, 5, "1182"), Some(38)),
            ((173, "Wear_Leveling_Count", 1, 5, "1758"), Some(99)),
            // Innodisk; Indilinx has no normalised value.
            ((169, "Remaining_Lifetime_Perc", 95, 0, "95"), Some(5)),
            ((209, "Remaining_Lifetime_Perc", 0, 0, "87"), Some(13)),
            ((233, "Media_Wearout_Indicator", 91, 0, "12345"), Some(9)),
            ((234, "Perc_Write/Erase_Ct_BC", 100, 0, "138778"), Some(0)),
        ];
        for (attribute, expected) in rows {
            assert_eq!(used(&[attribute]), expected, "{attribute:?}");
        }
    }

    /// The families that are not at hand as recordings, by the names and ids of `drivedb.h`.
    #[test]
    fn each_name_that_pve_reads_is_read() {
        let rows = [
            (169, "Lifetime_Remaining%"),
            (177, "DriveLife_Remaining%"),
            (177, "Lifetime_Remaining%"),
            (178, "SSD_Life_Left"),
            (201, "Lifetime_Remaining%"),
            (201, "Percent_Lifetime_Remain"),
            (231, "Lifetime_Left"),
            (231, "Perc_Rated_Life_Remain"),
            (231, "Percent_Lifetime_Remain"),
            (231, "SSD_Life_Left_Perc"),
            (233, "Remaining_Lifetime_Perc"),
            (245, "Drive_Life_Remaining%"),
            (245, "Percent_Life_Remaining"),
            (245, "SSD_Life_Left"),
            (248, "Lifetime_Remaining%"),
            (248, "PCT_Life_Remaining"),
            (248, "Perc_Rated_Life_Remain"),
            (248, "Remaining_Life"),
        ];
        for (id, name) in rows {
            assert_eq!(used(&[(id, name, 7, 0, "7")]), Some(93), "{id} {name}");
        }
    }

    #[test]
    fn the_worst_believable_value_counts() {
        let sandisk: [Attribute; 2] =
            [(230, "Perc_Write/Erase_Count", 100, 0, "10"), (201, "Lifetime_Remaining%", 7, 0, "7")];
        // Recorded: 233 stands still at 100.
        let kingston: [Attribute; 3] = [
            (177, "Wear_Leveling_Count", 91, 0, "90"),
            (231, "SSD_Life_Left", 90, 10, "90"),
            (233, "Media_Wearout_Indicator", 100, 0, "8842"),
        ];
        let apple: [Attribute; 2] = [
            (173, "Wear_Leveling_Count", 186, 100, "584144191767"),
            (177, "Wear_Leveling_Count", 80, 0, "1"),
        ];
        assert_eq!([used(&sandisk), used(&kingston), used(&apple)], [Some(93), Some(10), Some(20)]);
    }

    #[test]
    fn what_is_not_in_the_table_or_cannot_be_is_none() {
        let rows: [Attribute; 12] = [
            (230, "Unknown_SSD_Attribute", 1, 0, "279176151105"),
            (230, "Life_Curve_Status", 100, 0, "100"),
            (230, "Perc_Write/Erase_Count", 100, 0, "9798 1066 9798"),
            (231, "Temperature_Celsius", 3, 0, "97"),
            (232, "Available_Reservd_Space", 4, 4, "4"),
            (233, "SandForce_Internal", 0, 0, "23"),
            (9, "SSD_Life_Left", 1, 0, "1"),
            (177, "Wear_Range_Delta", 1, 0, "1"),
            (173, "Wear_Leveling_Count", 200, 100, "8599765028"),
            (230, "Media_Wearout_Indicator", 255, 0, "0"),
            (202, "Percent_Lifetime_Remain", 253, 0, "65535"),
            (169, "Remaining_Lifetime_Perc", 0, 0, "0"),
        ];
        for attribute in rows {
            assert_eq!(used(&[attribute]), None, "{attribute:?}");
        }
    }

    #[test]
    fn a_number_that_is_the_same_twice_is_no_count_of_its_own() {
        assert_eq!(used(&[(202, "Percent_Lifetime_Remain", 98, 10, "98")]), Some(2));
    }
}
