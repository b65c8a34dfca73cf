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
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use serde_json::json;

    use super::*;
    use crate::script::assert_cases;

    /// An attribute of the table by its id, name, normalised value, threshold and raw value, which may be in a form of
    /// its own.
    fn attribute(text: &str) -> Value {
        let fields: Vec<_> = text.splitn(5, ' ').collect();
        let [id, name, value, thresh, raw] = fields[..] else { panic!("{text}") };
        let number = |text: &str| text.parse::<u64>().unwrap();
        let raw_number =
            raw.strip_prefix("0x").map_or_else(|| raw.parse(), |hex| u64::from_str_radix(hex, 16));
        json!({"id": number(id), "name": name, "value": number(value), "thresh": number(thresh),
               "raw": {"value": raw_number.unwrap_or(98_786_738_216), "string": raw}})
    }

    #[test]
    fn every_disk_tells_its_wear_by_its_own_attributes() {
        assert_cases("wear.txt", |disk| {
            let attributes: Vec<_> = disk.split(" | ").map(attribute).collect();
            let used = wear(&json!({"ata_smart_attributes": {"table": attributes}}));
            used.map_or_else(|| "unknown".to_string(), |percent| format!("{percent}"))
        });
    }
}
