//! What is read can be written, and a configuration loses nothing on the way.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proxmox_types::LxcConfig;
use proxmox_types::lenient::from_value;
use proxmox_types::property::OtherKeys;
use serde_json::{Map, Value, json};

/// Every recorded configuration with the name of its recording.
fn configs() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut configs = Vec::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(recording) = serde_json::from_slice::<Value>(&fs::read(&file).unwrap()) else { continue };
        let path = recording["request"]["path"].as_str().unwrap_or_default();
        let is_config = path.split('?').next().unwrap().ends_with("/config") && path.contains("/lxc/");
        if is_config && recording["status"] == 200 && recording["request"]["method"] == "GET" {
            let mut body: Value = serde_json::from_str(recording["body"].as_str().unwrap()).unwrap();
            configs.push((file.display().to_string(), body["data"].take()));
        }
    }
    assert!(configs.len() > 20);
    configs
}

/// A value without what does not matter: how a scalar is printed, in which order a property string has its keys, and
/// whether its default key is named.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), normal(value))).collect(),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Bool(flag) => json!(f64::from(u8::from(*flag))),
        Value::Number(number) => json!(number.as_f64()),
        Value::String(text) if text.contains(',') => {
            json!(text.split(',').map(|part| part.trim_start_matches("order=")).collect::<BTreeSet<_>>())
        }
        Value::String(text) => text.parse::<f64>().map_or_else(|_| value.clone(), |number| json!(number)),
        Value::Null => Value::Null,
    }
}

fn fields(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { panic!("{value} is no object") };
    fields
}

/// A configuration as it was read: its options as they are written, and everything that is kept beside them.
fn written(config: LxcConfig) -> Value {
    let mut all = fields(serde_json::to_value(&config.options).unwrap());
    all.retain(|_, value| !value.is_null());
    all.extend(config.other.into_iter().chain(config.unread));
    all.extend(config.dev.into_iter().map(|(index, device)| (format!("dev{index}"), json!(device))));
    all.extend(config.hookscript.map(|script| ("hookscript".into(), json!(script))));
    all.extend(config.lock.map(|lock| ("lock".into(), json!(lock))));
    all.extend(config.digest.map(|digest| ("digest".into(), json!(digest))));
    all.extend(config.parent.map(|parent| ("parent".into(), json!(parent))));
    all.extend(config.snaptime.map(|time| ("snaptime".into(), json!(time))));
    all.extend((!config.lxc.is_empty()).then(|| ("lxc".into(), json!(config.lxc))));
    Value::Object(all)
}

#[test]
fn a_configuration_is_written_as_it_was_read() {
    for (name, config) in configs() {
        let read: LxcConfig = from_value(&config).unwrap();
        assert_eq!(normal(&written(read)), normal(&config), "{name}");
    }
}

#[test]
fn unknown_config_keys_survive_an_update() {
    let invented =
        json!({ "felhom": { "deep": [1, "x"] }, "net99999": "y", "flag": null, "net7": "name=e7,new=z" });
    for (name, config) in configs() {
        let mut sent = fields(config);
        sent.extend(fields(invented.clone()));
        let mut read: LxcConfig = from_value(&Value::Object(sent.clone())).unwrap();
        read.options.common.memory = Some(4096);
        sent.insert("memory".into(), json!(4096));
        assert_eq!(normal(&written(read)), normal(&Value::Object(sent)), "{name}");
    }
}

#[test]
fn every_key_of_a_recorded_property_string_is_known() {
    for (name, config) in configs() {
        let options = from_value::<LxcConfig>(&config).unwrap().options;
        let unknown: Vec<OtherKeys> = (options.common.net.into_values().map(|net| net.other.clone()))
            .chain(options.mp.into_values().map(|mp| mp.options.other.clone()))
            .chain(options.rootfs.into_iter().map(|rootfs| rootfs.options.other.clone()))
            .chain(options.features.into_iter().map(|features| features.other.clone()))
            .collect();
        assert!(unknown.iter().all(OtherKeys::is_empty), "{name}: {unknown:?}");
    }
}
