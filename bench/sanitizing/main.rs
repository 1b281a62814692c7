//! Sanitizes ordinary and hostile texts, and has the crate `aho-corasick` look for the same secrets in them as they stand: no other
//! form of them, no escapes. `bench/texts.py` runs it under callgrind, which begins to count anew at each `mark`. With `--times` it prints
//! MB/s instead: of ours, and of theirs.
//!
//! The hostile texts are what came out slowest among beginnings of secrets, escapes, line ends, control sequences and hidden
//! characters, alone and between each other.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ::aho_corasick::AhoCorasick;

use crate::core::Untrusted;
use crate::report::sanitize::Sanitizer;

#[path = "../../src/core"]
mod core {
    pub use redaction::*;
    pub use target::*;
    pub use untrusted::*;

    mod redaction;
    mod target;
    mod untrusted;
}

#[path = "../../src/report"]
mod report {
    pub mod sanitize;
}

/// The length of each text, in bytes.
const LENGTH: usize = 64 * 1024;

/// A password, and the tokens of a sign-in.
const TOKENS: [&str; 3] = [
    "correct-horse-battery",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0NSIsImV4cCI6MTcwNTMxMjgwMH0.b-_8xQQ0S3cr3tS1gn4ture",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0NSIsInVzZSI6ImlkIn0.Zm9vYmFyYmF6cXV4U2lnbmF0dXJl",
];

/// What is repeated to a hostile text.
fn hostile() -> Vec<String> {
    let (password, token) = (&TOKENS[0][..20], &TOKENS[1][..46]);
    let alone = [
        "%",
        "%41",
        "%2541",
        "&",
        "&lt;",
        "&amp;lt;",
        "&#65;",
        "\\",
        "\\\\\\\\",
        "\\u0041",
        "%41&lt;\\\\",
        "%&\\\n",
        "%0A\n",
        "\n",
        "\r",
        "\r\n",
        "a\r",
        "a\n",
        "a\u{200b}",
        "a\u{300}",
        "é",
        "\u{202e}a\u{202c}",
        "\u{1b}[31ma",
        "\u{1b}]8;;x\u{7}",
        "\u{1}",
        "\u{9b}",
        "a",
        "ab",
        "corre",
        TOKENS[0],
        TOKENS[1],
    ];
    let gaps = ["", " ", "%41", "%2541", "&lt;", "&amp;lt;", "\\\\", "\\\\\\\\", "\n"];
    let beginnings = gaps.iter().flat_map(|gap| [6, 12].map(|length| format!("{}{gap}", &password[..length])));
    let all = format!("{password}%2541{token}&amp;amp;{password}\\\\u005c{token}\n");
    alone.map(str::to_owned).into_iter().chain(beginnings).chain([all]).collect()
}

fn ordinary() -> String {
    let line = |n: usize| {
        let (task, at) = (n * 3, format!("10:{:02}:{:02},{:03}", n / 60 % 60, n % 60, n % 1000));
        format!(
            "2024-01-15 {at} INFO [executor-{}] o.a.s.TaskSetManager: Finished task {n}.0 (TID {task}) 50% done\n",
            n % 7
        )
    };
    (0..LENGTH / 80).map(line).collect()
}

/// Where callgrind begins to count anew.
#[inline(never)]
fn mark() {
    black_box(());
}

/// Megabytes per second: the best of many rounds, for what else the machine does can only slow it down.
fn megabytes_per_second(length: usize, work: impl Fn()) -> f64 {
    let began = Instant::now();
    let mut best = Duration::MAX;
    while began.elapsed() < Duration::from_millis(100) {
        let before = Instant::now();
        work();
        best = best.min(before.elapsed());
    }
    length as f64 / best.as_secs_f64() / 1e6
}

fn main() {
    let is_timed = std::env::args().any(|argument| argument == "--times");
    // Eight forms each.
    let many = (0..40).map(|n| format!("{}{}-{}", &TOKENS[n % 3][..20], n * 7919, n * n * 104_729)).collect();
    for (secrets, kind) in [(TOKENS.map(str::to_owned).to_vec(), "3 tokens"), (many, "256 forms")] {
        let sanitizer = Sanitizer::new();
        secrets.iter().for_each(|secret| _ = sanitizer.add_secret(secret));
        let finder = AhoCorasick::new(&secrets).expect("patterns");
        let hostile = hostile().into_iter().map(|unit| (unit.repeat(LENGTH / unit.len()), format!("{unit:?}")));
        for (text, name) in [(ordinary(), "ordinary".to_owned())].into_iter().chain(hostile) {
            let text = Untrusted::new(text);
            let ours = || _ = black_box(sanitizer.text(&text));
            let theirs = || _ = black_box(finder.find_overlapping_iter(text.raw()).count());
            sanitizer.text(&Untrusted::new("built"));
            let length = text.raw().len();
            if is_timed {
                let [ours, theirs] = [megabytes_per_second(length, ours), megabytes_per_second(length, theirs)];
                println!("{ours:.0}\t{theirs:.0}\t{kind}\t{name}");
                continue;
            }
            println!("{length}\t{kind}\t{name}");
            mark();
            ours();
            mark();
            theirs();
        }
    }
    mark();
}
