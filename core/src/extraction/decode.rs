//! Items as values.

use alloc::vec::Vec;

use serde_json::{Map, Value};

use crate::json::{Cursor, InvalidJson, Kind};

/// Decodes an item that a cursor has passed. `serde_json` refuses half a surrogate pair, which
/// pages do hold; such an item is decoded a second way, with U+FFFD in its place.
pub(super) fn decode(item: &[u8]) -> Result<Value, serde_json::Error> {
    #[cfg(test)]
    tests::DECODED.with(|count| count.set(count.get() + 1));
    serde_json::from_slice(item).or_else(|error| {
        let fallback = Cursor::new(item).ok().and_then(|mut cursor| value(&mut cursor, item).ok());
        fallback.flatten().ok_or(error)
    })
}

/// The value at the cursor; `None` if it holds a number that no float can.
/// The cursor bounds the depth, and so the recursion.
fn value(cursor: &mut Cursor<'_>, text: &[u8]) -> Result<Option<Value>, InvalidJson> {
    match cursor.kind()? {
        Kind::String => Ok(Some(cursor.string()?.decode().into_owned().into())),
        Kind::Array => {
            let mut array = Vec::new();
            cursor.enter_array()?;
            while cursor.next_element()? {
                let Some(element) = value(cursor, text)? else { return Ok(None) };
                array.push(element);
            }
            Ok(Some(array.into()))
        }
        Kind::Object => {
            let mut object = Map::new();
            cursor.enter_object()?;
            while let Some(name) = cursor.next_member()? {
                let Some(member) = value(cursor, text)? else { return Ok(None) };
                object.insert(name.decode().into_owned(), member);
            }
            Ok(Some(object.into()))
        }
        Kind::Null | Kind::Bool | Kind::Number => {
            let span = cursor.skip()?;
            let scalar = text.get(span.start..span.end).unwrap_or_default();
            Ok(serde_json::from_slice(scalar).ok())
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use core::cell::Cell;

    use super::*;

    std::thread_local! {
        /// How many items this thread has decoded.
        pub(in crate::extraction) static DECODED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn half_a_pair_costs_one_character_not_the_item() {
        let item = br#"{"name": "a\ud800b", "n": [1.5, true, null, {"\ud83d\ude00": -7}]}"#;
        let expected = r#"{"name": "a\ufffdb", "n": [1.5, true, null, {"😀": -7}]}"#;
        assert_eq!(decode(item).unwrap(), serde_json::from_str::<Value>(expected).unwrap());
    }

    #[test]
    fn a_number_past_all_floats_is_told() {
        assert!(decode(br#"{"n": 1e400}"#).is_err());
        assert!(decode(br#"{"n": [1e400, "\ud800"]}"#).is_err());
    }
}
