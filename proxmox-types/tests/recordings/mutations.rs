//! Whatever stands where a value was, a shape reads it or refuses it.

use serde_json::{Value, json};

use crate::leaves;

#[test]
fn no_value_makes_a_shape_panic_and_what_is_read_can_be_written() {
    let values = [
        json!("1"),
        json!(1),
        json!(true),
        json!(""),
        Value::Null,
        json!(1e3),
        json!(-1),
        json!(1_u64 << 63),
        json!([]),
        json!("a=b,c"),
    ];
    for (path, places) in leaves::all() {
        let place = places.first().unwrap();
        let (_, _, read) = place.endpoint;
        for value in &values {
            let Ok(reading) = read(&place.with(value.clone()).to_string()) else { continue };
            let written = json!({ "data": reading.written }).to_string();
            let again = read(&written).map(|reading| reading.shown);
            assert_eq!(again.ok(), Some(reading.shown), "{path} with {value}, written as {written}");
        }
    }
}
