//! TeamCity: a service message taken apart (documentation, *Service messages formats* and *Escaped values*).

use std::collections::BTreeMap;

/// A message's name and its attributes.
pub type Message = (String, BTreeMap<String, String>);

/// The name and the attributes of the messages in a log; an error for what TeamCity would warn about and drop.
pub fn messages(log: &str) -> Vec<Result<Message, String>> {
    super::net_lines(log).iter().filter_map(|line| Some(message(line.split_once("##teamcity[")?.1))).collect()
}

fn message(text: &str) -> Result<(String, BTreeMap<String, String>), String> {
    let wrong = || format!("not a message: {text}");
    let end = text.find([' ', ']']).ok_or_else(wrong)?;
    let (name, mut rest) = text.split_at(end);
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if rest == "]" {
            return Ok((name.to_owned(), attributes));
        }
        let (key, value) = rest.split_once("='").ok_or_else(wrong)?;
        if !key.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(wrong());
        }
        let (value, after) = unescaped(value).ok_or_else(wrong)?;
        attributes.insert(key.to_owned(), value);
        rest = after;
    }
}

/// The value up to its closing quotation mark, and what follows.
fn unescaped(text: &str) -> Option<(String, &str)> {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    loop {
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '\'' => return Some((String::from_utf16(&units).ok()?, rest)),
            '[' | ']' => return None,
            '|' => {
                let escaped = rest.chars().next()?;
                rest = &rest[escaped.len_utf8()..];
                match escaped {
                    'n' => units.push(10),
                    'r' => units.push(13),
                    '|' | '\'' | '[' | ']' => units.push(u16::try_from(u32::from(escaped)).ok()?),
                    '0' => {
                        let digits = rest.strip_prefix('x')?.get(..4)?;
                        units.push(u16::from_str_radix(digits, 16).ok()?);
                        rest = &rest[5..];
                    }
                    _ => return None,
                }
            }
            _ => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
        }
    }
}

#[test]
fn messages_are_taken_apart_as_teamcity_does() {
    let read = |text: &str| messages(text).remove(0);
    let (name, attributes) = read("x ##teamcity[a b='|'|[|]||||n|0x00E9|n' c='']").expect("a message");
    assert_eq!((name.as_str(), attributes["b"].as_str(), attributes["c"].as_str()), ("a", "'[]||né\n", ""));
    for bad in ["##teamcity[a b='x]", "##teamcity[a b='|x']", "##teamcity[a b='[']", "##teamcity[a"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert!(messages("text\n").is_empty());
}
