use alloc::string::String;

/// Writes a string as JSON: quoted, and escaped where it must be.
pub fn write_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(must_escape)
        && let Some((plain, after)) = rest.split_at_checked(at)
    {
        out.push_str(plain);
        let mut chars = after.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(other) => {
                out.push_str("\\u00");
                let digits = [u32::from(other) / 16, u32::from(other) % 16];
                out.extend(digits.into_iter().filter_map(|digit| char::from_digit(digit, 16)));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// All such characters are one byte long, and no part of another is one of these bytes.
fn must_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn writes_what_serde_json_does() {
        let all: String =
            (0..=0xff_u8).map(char::from).chain("\u{2028}😀\u{ffff}".chars()).collect();
        for text in ["", "plain", "\"", "\"\"", "a\n", &all] {
            let mut out = String::from("x");
            write_string(&mut out, text);
            assert_eq!(out, format!("x{}", serde_json::to_string(text).unwrap()));
        }
    }
}
