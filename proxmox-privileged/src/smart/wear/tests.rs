//! Attributes as disks were recorded to have them, and as none should.

use alloc::vec::Vec;

use serde_json::json;

use super::*;

/// An attribute of the table: id, name, normalised value, threshold, raw value, as text if it is in another form.
type Attribute = (u64, &'static str, u64, u64, &'static str);

fn disk(attributes: &[Attribute]) -> Value {
    let attribute = |(id, name, value, thresh, raw): &Attribute| {
        let number = raw.strip_prefix("0x").map_or_else(|| raw.parse(), |hex| u64::from_str_radix(hex, 16));
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
    let apple: [Attribute; 2] =
        [(173, "Wear_Leveling_Count", 186, 100, "584144191767"), (177, "Wear_Leveling_Count", 80, 0, "1")];
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

#[test]
fn a_disk_of_another_kind_says_it_itself() {
    let documents = [
        json!({"nvme_smart_health_information_log": {"percentage_used": 3}}),
        json!({"nvme_smart_health_information_log": {"percentage_used": 134}}),
        json!({"scsi_percentage_used_endurance_indicator": "7"}),
        json!({"endurance_used": {"current_percent": 12}, "scsi_percentage_used_endurance_indicator": 11}),
        json!({"nvme_smart_health_information_log": {"percentage_used": 65535}}),
        json!({"nvme_smart_health_information_log": {"percentage_used": -1}}),
        json!({"nvme_smart_health_information_log": [], "endurance_used": 5}),
    ];
    let expected = [Some(3), Some(134), Some(7), Some(12), None, None, None];
    assert_eq!(documents.map(|document| wear(&document)), expected);
}

#[test]
fn an_attribute_in_another_form_hides_no_other() {
    let mut document = disk(&[(177, "Wear_Leveling_Count", 58, 0, "712")]);
    let table = document.pointer_mut("/ata_smart_attributes/table").unwrap().as_array_mut().unwrap();
    let odd = [
        json!(null),
        json!([]),
        json!({"id": 202}),
        json!({"id": "202", "name": 5, "value": 1}),
        json!({"id": 231, "name": "SSD_Life_Left", "value": null, "raw": "74"}),
        json!({"id": -1, "name": "SSD_Life_Left", "value": 1}),
        json!({"id": 233, "name": "Media_Wearout_Indicator", "value": -5, "raw": {"value": {}}}),
    ];
    table.splice(0..0, odd);
    assert_eq!(wear(&document), Some(42));
}
