//! What must hold of the JSON reader for any bytes at all.

use serde::de::IgnoredAny;
use serde_json::Value;
use silkline::json::{Cursor, InvalidJson, Kind};

/// Reads the bytes in two ways and compares with `serde_json`; panics where they differ.
pub fn check(body: &[u8]) {
    let passed = pass(body);
    let walked = walk(body);
    assert_eq!(passed, walked.as_ref().map(|_| ()).map_err(|fault| *fault), "two ways");
    // Numbers out of range and halves of surrogate pairs are well-formed but have no value, so
    // acceptance is compared through a type that makes none.
    let text = std::str::from_utf8(body);
    let well_formed = text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match passed {
        Ok(()) => assert!(well_formed, "accepted, but serde_json refuses it"),
        Err(InvalidJson::TooDeep { .. }) => {
            assert!(serde_json::from_slice::<Value>(body).is_err(), "not too deep");
        }
        Err(_) => assert!(!well_formed, "refused, but serde_json accepts it"),
    }
    if let Err(fault) = passed {
        assert!(fault.position() <= body.len());
        let ends_there = fault.position() == body.len();
        assert!(ends_there || !matches!(fault, InvalidJson::Truncated { .. }));
    }
    if let (Ok(strings), Ok(Value::String(expected))) = (walked, serde_json::from_slice(body)) {
        assert_eq!(strings, [expected]);
    }
}

/// Passes everything as one value.
fn pass(body: &[u8]) -> Result<(), InvalidJson> {
    let mut cursor = Cursor::new(body)?;
    let span = cursor.skip()?;
    cursor.end()?;
    // What was passed is a whole text itself.
    let mut again = Cursor::new(&body[span.start..span.end])?;
    assert_eq!(again.skip()?.end, span.end - span.start);
    Ok(())
}

/// Goes into every container and gives the strings outside of objects.
fn walk(body: &[u8]) -> Result<Vec<String>, InvalidJson> {
    let mut cursor = Cursor::new(body)?;
    let mut open = Vec::new();
    let mut strings = Vec::new();
    loop {
        match cursor.kind()? {
            Kind::Array => {
                cursor.enter_array()?;
                open.push(false);
            }
            Kind::Object => {
                cursor.enter_object()?;
                open.push(true);
            }
            Kind::String => {
                let text = cursor.string()?;
                let decoded = text.decode();
                assert!(text.equals(&decoded));
                assert_eq!(
                    text.has_escapes(),
                    body[text.span().start..text.span().end].contains(&b'\\')
                );
                strings.push(decoded.into_owned());
            }
            Kind::Null | Kind::Bool | Kind::Number => {
                cursor.skip()?;
            }
        }
        loop {
            let more = match open.last() {
                None => {
                    cursor.end()?;
                    return Ok(strings);
                }
                Some(true) => cursor.next_member()?.is_some(),
                Some(false) => cursor.next_element()?,
            };
            if more {
                break;
            }
            open.pop();
        }
    }
}
