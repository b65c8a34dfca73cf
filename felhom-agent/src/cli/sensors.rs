//! The command `sensors`: temperatures, fans and voltages.

use proxmox_privileged::sensors::{Chip, SensorFeature, sensors};
use serde_json::json;

use super::output::{Common, Printed, stopped};
use super::session;
use super::table::{or_dash, table, worst};
use crate::config::Environment;
use crate::host::health::{Judgement, rank, sensor, unit};
use crate::report::chain;
use crate::report::exit::Exit;

pub(super) fn run(common: &Common, environment: &Environment) -> Exit {
    session::run(common, environment, session::host, async |session| {
        let chips = sensors(&*session.runner).await;
        let chips = chips.map_err(|error| stopped(chain(&error), Exit::Unchecked))?;
        let mut rows: Vec<(&Chip, &SensorFeature, Judgement)> = chips
            .iter()
            .flat_map(|chip| chip.features.iter().map(move |feature| (chip, feature, sensor(feature))))
            .collect();
        rows.sort_by_key(|(_, _, verdict)| rank(verdict.0));
        let document = json!({ "schema": "felhom.sensors/1", "chips": chips });
        Ok(Printed::new(text(&rows), &document, worst(rows.iter().map(|(_, _, verdict)| verdict.0))))
    })
}

fn text(rows: &[(&Chip, &SensorFeature, Judgement)]) -> String {
    if rows.is_empty() {
        return "there are no sensors\n".into();
    }
    let rows = rows.iter().map(|(chip, feature, (status, why))| {
        let value = feature.value().map(|value| format!("{value:.1}"));
        vec![
            status.label().into(),
            or_dash(value, &format!(" {}", unit(feature.kind))),
            feature.label.clone(),
            chip.name.clone(),
            why.clone(),
        ]
    });
    table(&["STATE", "VALUE", "WHAT", "CHIP", "WHY"], &rows.collect::<Vec<_>>())
}
