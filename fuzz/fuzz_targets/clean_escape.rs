//! Any bytes, in pieces of any size, with any secret: cleaning holds its promises, and no escaper panics or lets a line of
//! the log become a command.
//!
//! `cargo +nightly fuzz run clean_escape -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use maestro_gate::core::Untrusted;
use maestro_gate::report::sanitize::{Sanitizer, cut};
use maestro_gate::report::escape;

fuzz_target!(|input: &[u8]| {
    let Some((&[size, length, limit], rest)) = input.split_first_chunk() else { return };
    let (secret, bytes) = rest.split_at(rest.len().min(usize::from(length)));
    let secret = String::from_utf8_lossy(secret);
    let sanitizer = Sanitizer::new();
    let known = sanitizer.add_secret(&secret);
    sanitizer.add_secret("ababab");

    let whole = sanitizer.text(&Untrusted::from_bytes(bytes));
    let mut stream = sanitizer.stream();
    let mut pieces: String = bytes.chunks(usize::from(size) + 1).map(|piece| stream.push(piece).to_string()).collect();
    pieces.push_str(&stream.finish());
    assert_eq!(pieces, whole.as_str(), "in pieces as in one");
    assert_eq!(sanitizer.text(&Untrusted::new(whole.as_str())), whole, "once is enough");
    assert!(whole.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "nothing unseen");
    assert!(!whole.contains("ababab"), "no secret");
    let shown = Sanitizer::new().text(&Untrusted::new(secret));
    assert!(!known || !whole.contains(shown.as_str()), "no secret");

    let limit = usize::from(limit);
    assert!(cut(&whole, limit).len() <= limit);
    assert!(sanitizer.line(&Untrusted::from_bytes(bytes), limit).len() <= limit);
    assert!(sanitizer.status(&Untrusted::from_bytes(bytes)).len() <= 64);

    let gutter = escape::gutter(&whole);
    assert!(gutter.lines().all(|line| line.starts_with("  |")));
    let line = escape::log_line(&whole);
    assert!(!line.trim_start().starts_with("::") && !line.contains('\n'));
    for log in [gutter, line] {
        let log = log.to_ascii_lowercase();
        assert!(!["##[", "##vso[", "##teamcity["].iter().any(|mark| log.contains(mark)));
    }
    assert!(escape::dotenv_value(&whole).is_ascii());
    assert!(!escape::github_property(&whole).contains(['\n', ',', ':']));
    assert!(!escape::markdown_inline(&whole).contains(['|', '<', '>', '`', '\n']));
    assert!(escape::markdown_fence(&whole).ends_with("```\n"));
    assert!(!escape::markdown_code_span(&whole).contains(['|', '\n']));
});
