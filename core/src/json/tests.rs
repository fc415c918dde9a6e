//! The reader against fixed cases and against `serde_json`.

mod random;

use alloc::{borrow::Cow, format, string::String, vec, vec::Vec};

use serde::de::IgnoredAny;

use super::*;

/// Passes the whole text as one value.
fn pass(text: &[u8]) -> Result<Span, InvalidJson> {
    let mut cursor = Cursor::new(text)?;
    let span = cursor.skip()?;
    cursor.end()?;
    Ok(span)
}

/// Passes the whole text by going into every container, as deep as they are.
fn walk(text: &[u8]) -> Result<(), InvalidJson> {
    let mut cursor = Cursor::new(text)?;
    let mut open = Vec::new();
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
                cursor.string()?.decode();
            }
            Kind::Null | Kind::Bool | Kind::Number => {
                cursor.skip()?;
            }
        }
        loop {
            let more = match open.last() {
                None => return cursor.end(),
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

/// `Ok`, or the code and position.
fn outcome<T>(result: Result<T, InvalidJson>) -> Result<(), (&'static str, usize)> {
    result.map(|_| ()).map_err(|fault| (fault.code(), fault.position()))
}

/// What `serde_json` says of the text: `Some(true)` for "ends early".
fn reference(text: &str) -> Result<(), bool> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| error.is_eof())
}

/// Both ways through the text must agree with each other and with `serde_json`.
fn check(text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    let passed = outcome(pass(text));
    assert_eq!(passed, outcome(walk(text)), "{shown}");
    let Ok(text) = core::str::from_utf8(text) else {
        assert!(passed.is_err(), "{shown}");
        return;
    };
    match (passed, reference(text)) {
        (Ok(()), Ok(())) | (Err(("json_syntax", _)), Err(false)) => {}
        (Err(("json_truncated", position)), Err(true)) => assert_eq!(position, text.len()),
        // `serde_json` calls a number that is cut a malformed one.
        (Err(("json_truncated", _)), Err(false)) if text.ends_with(['-', '.', 'e', 'E', '+']) => {}
        // It looks whether four bytes follow `\u` before it looks at them.
        (Err(("json_syntax", at)), Err(true))
            if text.len() - text[..at].rfind("\\u").unwrap() < 6 => {}
        (Err(("json_too_deep", _)), _) => {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{shown}");
        }
        (ours, theirs) => panic!("{ours:?} but serde_json says {theirs:?}: {shown}"),
    }
}

const VALID: &[&str] = &[
    "null",
    " true ",
    "false",
    "0",
    "-0",
    "-0.0e-0",
    "12",
    "1.5E+300",
    "1e99999",
    "\"\"",
    "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00eF\"",
    "\"\\ud800\"",
    "\"\u{7f}\u{80}\u{10ffff}\"",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "\t\r\n [1 , 2,[3],{}, {\"a\" : [ ] } ] ",
    "{\"a\":1,\"a\":2,\"\":{\"b\":[null,true,false]}}",
];

const SYNTAX: &[(&str, usize)] = &[
    ("\u{feff}1", 0),
    ("01", 1),
    ("-01", 2),
    ("+1", 0),
    (".5", 0),
    ("1.x", 2),
    ("-x", 1),
    ("1ex", 2),
    ("1e+x", 3),
    ("0x10", 1),
    ("NaN", 0),
    ("Infinity", 0),
    ("nul1", 3),
    ("truE", 3),
    ("true1", 4),
    ("nullnull", 4),
    ("'a'", 0),
    ("\"\n\"", 1),
    ("\"\u{0}\"", 1),
    ("\"\u{1f}\"", 1),
    ("\"\\x\"", 2),
    ("\"\\u00g0\"", 5),
    ("\"\\u\"", 3),
    ("\"\\U0000\"", 2),
    ("[1 2]", 3),
    ("[1,]", 3),
    ("[,1]", 1),
    ("[1}", 2),
    ("[\"a\":1]", 4),
    ("{1:2}", 1),
    ("{\"a\"}", 4),
    ("{\"a\",\"b\"}", 4),
    ("{\"a\":}", 5),
    ("{\"a\":1,}", 7),
    ("{\"a\":1 \"b\":2}", 7),
    ("{\"a\":1]", 6),
    ("{\"a\"::1}", 5),
    ("{,}", 1),
    ("{\"a\":1}}", 7),
    ("]", 0),
    ("1 1", 2),
    ("[] []", 3),
    ("/**/1", 0),
    ("1\u{b}", 1),
    ("1\u{a0}", 1),
];

#[test]
fn what_is_well_formed_passes() {
    for text in VALID {
        assert_eq!(outcome(pass(text.as_bytes())), Ok(()), "{text}");
        check(text.as_bytes());
    }
}

#[test]
fn what_is_malformed_is_refused_at_its_byte() {
    for &(text, position) in SYNTAX {
        assert_eq!(outcome(pass(text.as_bytes())), Err(("json_syntax", position)), "{text}");
        check(text.as_bytes());
        let inside = format!("[{text}");
        check(inside.as_bytes());
        check(format!("{{\"k\":{text},").as_bytes());
    }
}

#[test]
fn a_cut_text_is_truncated() {
    for text in VALID.iter().filter(|text| text.starts_with(['[', '{', '"'])) {
        for end in 0..text.len() {
            let cut = &text.as_bytes()[..end];
            assert_eq!(outcome(pass(cut)), Err(("json_truncated", end)), "{text} at {end}");
            assert_eq!(outcome(walk(cut)), Err(("json_truncated", end)), "{text} at {end}");
        }
    }
    for text in ["", " ", "-", "1.", "1e", "1e+", "tru", "n", "f"] {
        assert_eq!(outcome(pass(text.as_bytes())), Err(("json_truncated", text.len())), "{text}");
    }
}

#[test]
fn the_text_must_be_utf8() {
    let cases: [(&[u8], _); 7] = [
        (b"\"\xff\"", ("json_utf8", 1)),
        (b"\"a\x80\"", ("json_utf8", 2)),
        (b"\"\xc0\xaf\"", ("json_utf8", 1)),
        (b"\"\xed\xa0\x80\"", ("json_utf8", 1)),
        (b"\"\xf4\x90\x80\x80\"", ("json_utf8", 1)),
        (b"1\xe9 ", ("json_utf8", 1)),
        (b"\"\xe2\x82", ("json_truncated", 3)),
    ];
    for (text, fault) in cases {
        assert_eq!(outcome(pass(text)), Err(fault));
    }
}

#[test]
fn nesting_goes_as_deep_as_serde_json_reads() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        for levels in [1, 126, 127, 128, 129, 1000] {
            let times = levels / close.len();
            let text = format!("{}1{}", open.repeat(times), close.repeat(times));
            let readable = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!(readable, times * close.len() < MAX_DEPTH);
            assert_eq!(pass(text.as_bytes()).is_ok(), readable, "{text}");
            check(text.as_bytes());
        }
    }
    assert_eq!(outcome(pass(&vec![b'['; 100_000])), Err(("json_too_deep", 127)));
    assert_eq!(outcome(walk(&vec![b'['; 100_000])), Err(("json_too_deep", 127)));
}

#[test]
fn depth_counts_from_the_top_of_the_text() {
    let mut text = vec![b'['; 10];
    text.extend([b'['; 118]);
    let mut cursor = Cursor::new(&text).unwrap();
    for _ in 0..10 {
        cursor.enter_array().unwrap();
        assert!(cursor.next_element().unwrap());
    }
    assert_eq!(cursor.skip(), Err(InvalidJson::TooDeep { position: 127 }));
}

#[test]
fn spans_are_exact() {
    let text = b" { \"a\\n\" : [ 1 , \"x\" ] , \"b\" : -1.5e3 , \"c\":null } ";
    let slice = |span: Span| core::str::from_utf8(&text[span.start..span.end]).unwrap();
    let mut cursor = Cursor::new(text).unwrap();
    cursor.enter_object().unwrap();
    let name = cursor.next_member().unwrap().unwrap();
    assert_eq!(slice(name.span()), "\"a\\n\"");
    assert_eq!(slice(cursor.skip().unwrap()), "[ 1 , \"x\" ]");
    assert_eq!(slice(cursor.next_member().unwrap().unwrap().span()), "\"b\"");
    assert_eq!(slice(cursor.skip().unwrap()), "-1.5e3");
    assert_eq!(slice(cursor.next_member().unwrap().unwrap().span()), "\"c\"");
    assert_eq!(cursor.kind(), Ok(Kind::Null));
    assert_eq!(slice(cursor.skip().unwrap()), "null");
    assert!(cursor.next_member().unwrap().is_none());
    assert_eq!(cursor.end(), Ok(()));
    assert_eq!(pass(text), Ok(Span { start: 1, end: text.len() - 1 }));
}

#[test]
fn a_value_left_unread_is_skipped_and_checked() {
    let mut cursor = Cursor::new(b"[{\"a\":[1,2],\"b\":2}, 3, [x]]").unwrap();
    cursor.enter_array().unwrap();
    assert!(cursor.next_element().unwrap());
    cursor.enter_object().unwrap();
    assert!(cursor.next_member().unwrap().unwrap().equals("a"));
    assert!(cursor.next_member().unwrap().unwrap().equals("b"));
    assert!(cursor.next_member().unwrap().is_none());
    assert!(cursor.next_element().unwrap());
    assert!(cursor.next_element().unwrap());
    assert_eq!(cursor.next_element(), Err(InvalidJson::Syntax { position: 24 }));
}

#[test]
fn a_call_that_does_not_fit_leaves_the_cursor_where_it_is() {
    let mut cursor = Cursor::new(b"[ 1 , \"s\"]").unwrap();
    assert!(cursor.string().is_err());
    assert!(cursor.enter_object().is_err());
    assert!(cursor.next_element().is_err());
    assert!(cursor.next_member().is_err());
    assert!(cursor.end().is_err());
    cursor.enter_array().unwrap();
    assert!(cursor.skip().is_err(), "next_element comes first");
    assert!(cursor.next_member().is_err());
    assert!(cursor.next_element().unwrap());
    assert!(cursor.string().is_err());
    assert_eq!(cursor.skip(), Ok(Span { start: 2, end: 3 }));
    assert!(cursor.skip().is_err());
    assert!(cursor.next_element().unwrap());
    assert!(cursor.string().unwrap().equals("s"));
    assert!(!cursor.next_element().unwrap());
    assert!(cursor.next_element().is_err());
    assert!(cursor.skip().is_err());
    assert_eq!(cursor.end(), Ok(()));
}

#[test]
fn strings_decode() {
    let cases = [
        ("plain é", "plain é"),
        ("a\\\"\\\\\\/\\b\\f\\n\\r\\tz", "a\"\\/\u{8}\u{c}\n\r\tz"),
        ("\\u0041\\u00e9\\u20AC", "Aé€"),
        ("\\u0000", "\0"),
        ("\\ud83d\\ude00!", "😀!"),
        ("\\ud83d", "\u{fffd}"),
        ("\\ud83dx", "\u{fffd}x"),
        ("\\ude00", "\u{fffd}"),
        ("\\ud83d\\ud83d\\ude00", "\u{fffd}😀"),
        ("\\ud83d\\u0041", "\u{fffd}A"),
        ("\\ud83d\\n", "\u{fffd}\n"),
        ("\\\\u0041", "\\u0041"),
        ("\\uffff\\udbff\\udfff", "\u{ffff}\u{10ffff}"),
    ];
    for (raw, decoded) in cases {
        let text = format!("\"{raw}\"");
        let string = Cursor::new(text.as_bytes()).unwrap().string().unwrap();
        assert_eq!(string.decode(), decoded, "{raw}");
        assert!(string.equals(decoded));
        assert!(!string.equals(&format!("{decoded}x")));
        assert!(
            !string.equals(&decoded[..decoded.len() - decoded.chars().last().unwrap().len_utf8()])
        );
        assert_eq!(string.has_escapes(), raw.contains('\\'));
        assert_eq!(matches!(string.decode(), Cow::Borrowed(_)), !raw.contains('\\'));
        if !decoded.contains('\u{fffd}') {
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), decoded);
        }
    }
}

#[test]
fn errors_have_codes_and_messages() {
    let faults = [
        (InvalidJson::Syntax { position: 3 }, "json is malformed at byte 3"),
        (InvalidJson::TooDeep { position: 3 }, "json is nested deeper than 127 levels at byte 3"),
        (InvalidJson::Truncated { position: 3 }, "json ends early, at byte 3"),
        (InvalidJson::Utf8 { position: 3 }, "json is not utf-8 at byte 3"),
    ];
    let codes: Vec<_> = faults.iter().map(|(fault, _)| fault.code()).collect();
    assert_eq!(codes, InvalidJson::CODES);
    for (fault, message) in faults {
        assert_eq!(format!("{fault}"), message);
        assert_eq!(fault.position(), 3);
    }
}
