//! Whatever stands where a value was, a shape reads it or refuses it.

use serde_json::{Value, json};

use crate::leaves;

#[test]
fn no_value_makes_a_shape_panic() {
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
    for places in leaves::all().into_values() {
        let place = places.first().unwrap();
        let (_, _, read) = place.endpoint;
        for value in &values {
            drop(read(&place.with(value.clone()).to_string()));
        }
    }
}
