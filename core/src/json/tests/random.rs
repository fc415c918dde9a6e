//! Random texts, their mutations, and every way to read them.

use alloc::{format, string::String, vec::Vec};

use super::{check, outcome, pass};
use crate::json::{InvalidJson, scan, simd};

/// What mutations and soups are made of.
const BYTES: &[u8] = b"\"[]{}:, \\1nu0\n\x00\x1f9.-+eEtfldG/x\x7f\x80\xc3\xff";

/// Changes the text somewhere behind `from`.
fn mutate(rng: &mut Random, bytes: &mut Vec<u8>, from: usize) {
    let at = from + 1 + below(rng, bytes.len() - from);
    let byte = BYTES[below(rng, BYTES.len())];
    match below(rng, 4) {
        0 if at < bytes.len() => {
            bytes.remove(at);
        }
        1 if at < bytes.len() => bytes.insert(at, byte),
        2 if at < bytes.len() => bytes[at] = byte,
        _ => bytes.truncate((bytes.len() - below(rng, 3).min(bytes.len())).max(from + 1)),
    }
}

#[test]
fn random_texts_and_their_mutations_agree_with_serde_json() {
    let mut rng = Random(7);
    for _ in 0..3000 {
        let mut text = String::new();
        generate(&mut rng, 6, &mut text);
        assert_eq!(outcome(pass(text.as_bytes())), Ok(()), "{text}");
        check(text.as_bytes());
        let mut bytes = text.into_bytes();
        for _ in 0..6 {
            mutate(&mut rng, &mut bytes, 0);
            check(&bytes);
        }
    }
}

/// Each way must end where the reference ends, or find a fault where it finds one.
fn compare(text: &[u8], at: usize, depth: usize) {
    let expected = scan::container(text, at, depth).ok();
    for way in simd::ways() {
        let ended = (way.container)(text, at, depth);
        if ended != expected {
            let shown = String::from_utf8_lossy(text);
            panic!("{} at {at}, depth {depth}: {ended:?}, not {expected:?}: {shown}", way.name);
        }
    }
    assert_eq!(simd::container(text, at, depth), scan::container(text, at, depth));
}

#[test]
fn every_way_agrees_on_random_texts_and_their_mutations() {
    let mut rng = Random(11);
    for round in 0..1500 {
        let mut text = String::new();
        while !text.starts_with(['[', '{']) {
            text.clear();
            generate(&mut rng, 7, &mut text);
        }
        // What stands in front or behind must not matter.
        let front = if round % 3 == 0 { 0 } else { below(&mut rng, 130) };
        text.insert_str(0, &"\"".repeat(front));
        let mut bytes = text.into_bytes();
        for _ in 0..below(&mut rng, 70) {
            bytes.push(BYTES[below(&mut rng, BYTES.len())]);
        }
        let depth = below(&mut rng, 128);
        compare(&bytes, front, depth);
        compare(&bytes, front, 0);
        assert!(scan::container(&bytes, front, 0).is_ok());
        for _ in 0..8 {
            mutate(&mut rng, &mut bytes, front);
            compare(&bytes, front, 0);
        }
    }
}

#[test]
fn every_way_agrees_on_soup() {
    let mut rng = Random(13);
    for round in 0..8000 {
        // Few sorts of bytes, so that long stretches are well-formed by chance.
        let sorts = 1 + below(&mut rng, BYTES.len());
        let mut text = Vec::from([b"[{"[round % 2]]);
        for _ in 0..below(&mut rng, 200) {
            text.push(BYTES[below(&mut rng, sorts)]);
        }
        compare(&text, 0, 0);
        if round % 50 == 0 {
            compare_strings(&text);
        }
    }
}

#[test]
fn every_way_agrees_on_every_cut_at_every_place_in_a_block() {
    let text =
        "{\"a\" : [1.5e+3 ,true, null,{ } ,[ ],\"\\\\\\\"\\u00e9é😀\" ] , \"b\\n\":{\"c\":-0}}";
    for front in 0..130 {
        for filled in [
            format!("[{}{text}]", " ".repeat(front)),
            format!("[\"{}\",{text}]", "x".repeat(front)),
        ] {
            let filled = filled.as_bytes();
            assert_eq!(scan::container(filled, 0, 0), Ok(filled.len()));
            compare(filled, 0, 0);
            for end in 0..filled.len() {
                compare(&filled[..end], 0, 0);
            }
        }
    }
}

#[test]
fn every_way_agrees_on_every_change_at_every_place_in_a_block() {
    let text = b"[{\"a\":[1,{}],\"b\\n\" :\"c\"} , [] ,false]";
    for front in [0, 20, 41, 62] {
        let mut filled = Vec::from(b"[");
        filled.resize(1 + front, b' ');
        filled.extend(text);
        filled.push(b']');
        for at in 1 + front..filled.len() {
            let mut changed = filled.clone();
            for &byte in BYTES {
                changed[at] = byte;
                compare(&changed, 0, 0);
            }
            changed.remove(at);
            compare(&changed, 0, 0);
            for &byte in BYTES {
                let mut longer = filled.clone();
                longer.insert(at, byte);
                compare(&longer, 0, 0);
            }
        }
    }
}

#[test]
fn every_way_agrees_on_escapes_across_the_border_of_blocks() {
    for front in 0..66 {
        for run in (0..20).chain(60..68) {
            for tail in ["", "\"", "n", "u00e9", "u00g9", "u12", "x", "\n"] {
                let front = "x".repeat(front);
                let text = format!("[\"{front}{}{tail}\",1]  ", "\\".repeat(run));
                compare(text.as_bytes(), 0, 0);
                let text = format!("{{\"{front}{}{tail}\":\"\"}}", "\\".repeat(run));
                compare(text.as_bytes(), 0, 0);
            }
        }
    }
}

#[test]
fn every_way_agrees_on_every_byte_in_every_role() {
    let roles = [
        ("[\"\\", "\"]"),
        ("[\"\\u", "000\"]"),
        ("[\"\\u0", "00\"]"),
        ("[\"\\u00", "0\"]"),
        ("[\"\\u000", "\"]"),
        ("[\"", "\"]"),
        ("[", "]"),
        ("[1", "2]"),
        ("[1", "]"),
        ("[\"a\"", "]"),
        ("{", "\"a\":1}"),
        ("{\"a\"", "1}"),
        ("{\"a\":1", "}"),
        ("", "]"),
        ("", "}"),
    ];
    for front in [0, 31, 57, 58, 59, 60, 61, 62, 63, 127] {
        for (before, after) in roles {
            for byte in 0..=255 {
                let mut text = Vec::from(b"[");
                text.resize(1 + front, b'\n');
                text.extend(before.as_bytes());
                text.push(byte);
                text.extend(after.as_bytes());
                text.push(b']');
                compare(&text, 0, 0);
            }
        }
    }
}

#[test]
fn every_way_agrees_on_utf8() {
    // The bytes at which the rules change.
    const EDGES: &[u8] =
        &[0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf4, 0xf5];
    let check = |text: &[u8]| {
        let expected = core::str::from_utf8(text);
        assert_eq!(simd::to_str(text), expected);
        for way in simd::ways() {
            assert_eq!((way.is_utf8)(text), expected.is_ok(), "{} {text:x?}", way.name);
        }
    };
    for first in 0..=255 {
        check(&[first]);
        for second in 0..=255 {
            check(&[first, second]);
            check(&[first, second, 0x80]);
            check(&[0xe1, first, second]);
            check(&[0xf1, 0x80, first, second]);
            check(&[0xf0, first, second, 0x80]);
        }
    }
    for &a in EDGES {
        for &b in EDGES {
            for &c in EDGES {
                for &d in EDGES {
                    check(&[a, b, c, d]);
                }
            }
        }
    }
    for front in (0..4).chain(28..36).chain(58..68).chain(120..130) {
        for filler in [b"x".as_slice(), "é".as_bytes(), "\u{20ac}".as_bytes()] {
            for tail in ["é", "\u{20ac}", "\u{10ffff}", "x", ""] {
                let mut text = Vec::new();
                while text.len() < front {
                    text.extend(filler);
                }
                text.extend(tail.as_bytes());
                for behind in [0, 1, 70] {
                    let mut text = text.clone();
                    text.resize(text.len() + behind, b'x');
                    check(&text);
                    for at in front..(front + 4).min(text.len()) {
                        let mut changed = text.clone();
                        changed.remove(at);
                        check(&changed);
                        for byte in [0x41, 0x80, 0xc3, 0xe2, 0xf0, 0xff] {
                            changed = text.clone();
                            changed[at] = byte;
                            check(&changed);
                        }
                        check(&text[..at]);
                    }
                }
            }
        }
    }
}

#[test]
fn every_way_agrees_on_escapes_in_front_of_plain_blocks() {
    for front in 0..130 {
        for escape in ["\\", "\\u", "\\u1", "\\u12", "\\u123", "\\u1234", "\\n"] {
            for plain in ["x", "a"] {
                let (front, plain) = ("x".repeat(front), plain.repeat(140));
                compare(format!("[\"{front}{escape}{plain}\"]").as_bytes(), 0, 0);
            }
        }
    }
}

#[test]
fn every_way_agrees_on_depth() {
    for depth in 0..130 {
        for levels in [1, 2, 60, 64, 65, 126, 127, 128, 129, 200] {
            let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            compare(text.as_bytes(), 0, depth);
            assert_eq!(scan::container(text.as_bytes(), 0, depth).is_ok(), depth + levels < 128);
        }
    }
}

fn compare_strings(text: &[u8]) {
    for at in 0..text.len() {
        let special = |&&byte: &&u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        let plain = text[at..].iter().take_while(|byte| !special(byte)).count();
        assert_eq!(scan::plain(text, at), at + plain);
        for way in simd::ways() {
            assert_eq!((way.plain)(text, at), at + plain, "{}", way.name);
        }
        assert_eq!(simd::string(text, at), scan::string(text, at));
    }
}

#[test]
fn every_way_finds_the_end_of_a_plain_run() {
    for length in (0..70).chain(126..132) {
        for last in 0..=255 {
            let mut text = Vec::from([b'x']).repeat(length);
            text.push(last);
            text.extend([b'"'; 3]);
            let special = last < 0x20 || last == b'"' || last == b'\\';
            let expected = length + usize::from(!special);
            assert_eq!(scan::plain(&text, 0), expected);
            for way in simd::ways() {
                assert_eq!((way.plain)(&text, 0), expected, "{}, {last}", way.name);
                assert_eq!((way.plain)(&text[..length], 0), length, "{}", way.name);
            }
        }
    }
}

#[test]
fn a_hostile_text_takes_no_longer_than_its_length() {
    // Long enough for anything quadratic, or recursive, to fail.
    const LENGTH: usize = 1_000_000;
    let soup = |piece: &str| piece.repeat(LENGTH / piece.len()).into_bytes();
    let deep = Err(InvalidJson::TooDeep { position: 127 });
    assert_eq!(pass(&soup("[")), deep);
    assert_eq!(pass(&soup("[{")), Err(InvalidJson::Syntax { position: 2 }));
    assert_eq!(pass(&soup("\\")), Err(InvalidJson::Syntax { position: 0 }));
    assert_eq!(pass(&soup("\"")), Err(InvalidJson::Syntax { position: 2 }));
    assert_eq!(pass(&soup(" ")), Err(InvalidJson::Truncated { position: LENGTH }));
    for piece in ["\\\\", "\\u0000", "x", "é", "\\\""] {
        let mut text = Vec::from(b"[\"");
        text.extend(soup(piece));
        assert_eq!(pass(&text), Err(InvalidJson::Truncated { position: text.len() }), "{piece}");
    }
    for piece in ["[],", "{},", "\"\",", "1,", "[[]],", "{\"a\":\"b\"},", "        "] {
        let mut text = Vec::from(b"[");
        text.extend(soup(piece));
        assert_eq!(pass(&text), Err(InvalidJson::Truncated { position: text.len() }), "{piece}");
        text.extend(b"1]");
        assert!(pass(&text).is_ok(), "{piece}");
    }
}

/// A random text that is well-formed, in random spelling.
fn generate(rng: &mut Random, depth: usize, out: &mut String) {
    let space = |rng: &mut Random, out: &mut String| {
        for _ in 0..below(rng, 8).saturating_sub(5) {
            out.push([' ', '\n', '\t', '\r'][below(rng, 4)]);
        }
    };
    space(rng, out);
    match if depth == 0 { below(rng, 5) } else { below(rng, 9) } {
        0 => out.push_str(["null", "true", "false"][below(rng, 3)]),
        1 => out.push_str(
            ["0", "-1", "12.50", "3e8", "-0.1E-7", "99999999999999999999"][below(rng, 6)],
        ),
        2..=4 => generate_string(rng, out),
        kind => {
            let object = kind % 2 == 0;
            out.push(if object { '{' } else { '[' });
            for item in 0..below(rng, 5) {
                if item > 0 {
                    out.push(',');
                }
                if object {
                    space(rng, out);
                    generate_string(rng, out);
                    space(rng, out);
                    out.push(':');
                }
                generate(rng, depth - 1, out);
            }
            space(rng, out);
            out.push(if object { '}' } else { ']' });
        }
    }
    space(rng, out);
}

fn generate_string(rng: &mut Random, out: &mut String) {
    const PIECES: &[&str] =
        &["a", "\\\\", "\\\"", "\\n", "\\u00e9", "é", "😀", "{", "]", ",", ":", " ", "/", "\u{7f}"];
    out.push('"');
    let plain = if below(rng, 4) == 0 { below(rng, 150) } else { below(rng, 10) };
    for _ in 0..plain {
        out.push('x');
    }
    for _ in 0..below(rng, 12) {
        out.push_str(PIECES[below(rng, PIECES.len())]);
    }
    out.push('"');
}

/// A seeded generator (`xorshift64*`).
struct Random(u64);

/// A number below `end`.
fn below(rng: &mut Random, end: usize) -> usize {
    rng.0 ^= rng.0 >> 12;
    rng.0 ^= rng.0 << 25;
    rng.0 ^= rng.0 >> 27;
    usize::try_from(rng.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % end
}
