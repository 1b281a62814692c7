//! Hostile text to test with: a fixed set, one piece for every trick known to us, and generators that mix the tricks.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Secrets of the kinds there are: a password, a token, a key of many lines, one that collides with the mark, one that
/// overlaps itself and another.
pub const SECRETS: [&str; 6] = [
    "pa55 w/ör+d&\"*~!",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NSJ9.b-_8x?",
    "-----BEGIN KEY-----\r\nMIIabc/+line=\r\nshort\r\n-----END KEY-----",
    "**hunter2***",
    "ababab",
    "bababc\u{200b}é",
];

/// One text for every trick. Renderers must survive all of them.
pub fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        // Workflow commands: GitHub's two forms, every line break, white space before, a stop and a resumption.
        "::error title=Passed::all good\n::set-output name=verdict::passed\n::add-mask::e\n::stop-commands::x\n",
        "ok\r::error::after a carriage return\r\n\t \u{a0}\u{3000}::warning::after white space",
        "ok\u{85}::error::a\u{2028}::error::b\u{2029}::error::c\u{b}::error::d\u{c}::error::e",
        "words ##[error]in the middle ###[group]x\n####[set-env name=A]b ##\u{200b}[add-path]c #\u{ad}#[debug]d",
        "\u{200b}::\u{feff}error::hidden from the eye, not from a comparison by culture",
        // Azure, TeamCity.
        "x ##vso[task.setvariable variable=MAESTRO_GATE_VERDICT;isoutput=true]passed ##VSO[task.complete result=Succeeded;]",
        "##teamcity[buildStatus status='SUCCESS' text='x'] ##\u{1b}[0mteamcity[setParameter name='a' value='b'",
        // Sections of Buildkite and GitLab.
        "--- :ok: done\n+++ passed\n~~~ x\n^^^ +++\n\u{1b}[31m--- coloured",
        "\u{1b}[0Ksection_start:1:a.b[collapsed=true]\r\u{1b}[0KTitle\nsection_end:2:a.b\r\u{1b}[0K",
        // Terminals: colours, links, titles, images, sequences without an end, eight-bit forms.
        "\u{1b}[31mred\u{1b}[0m \u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{7} \u{1b}]0;title\u{7}\u{1b}[2J\u{1b}c",
        "\u{1b}]1338;url='https://evil.example/x.png'\u{7}\u{1b}P1$r\u{1b}\\\u{1b}_a\u{9c}\u{9b}1m\u{9d}x\u{7}\u{1b}(B",
        "\u{1b}]never ends\nthe next line is seen\n\u{1b}[\n31m\u{1b}\n[x \u{1b}[38;5",
        "50%\r100%\r\ndone\u{8}\u{8}\u{8}\u{8}fail\u{0}\u{7f}",
        // Direction and invisibility.
        "\u{202e}dessap\u{202c} \u{2066}x\u{2069} \u{61c}\u{200f} ad\u{ad}min \u{e0041}\u{e007f} \u{fff9}a\u{fffa}b\u{fffb} \u{fe0f}\u{e0100}",
        "non-characters \u{fffe}\u{ffff}\u{fdd0}\u{1fffe} and a replacement \u{fffd}",
        // Markdown and HTML.
        "```\n````\n# heading\n</details><script>alert(1)</script>\n~~~\n<!--",
        "<script>alert(1)</script>\n\n# heading",
        "| a | b |\n|---|---|\n| \\| `x|y` | ![i](https://evil.example/i.png) [l](javascript:x) <img src=x onerror=y> |",
        "@team #1 www.evil.example https://evil.example a@b.example <https://x.y> :tada: *e* **s** _e_ ~~d~~ $x$ &amp; \\",
        "[a]: https://evil.example\n[^1]: note\n- [ ] task\n1. list\n> quote\n---\ntext\n===\n    code\n+ x\n***",
        // Shells, variables, files of key and value.
        "$CI_JOB_TOKEN ${CI_JOB_TOKEN} %CI_JOB_TOKEN% $(id) `id` ; rm -rf / & | > x ' \" \\ \n",
        "\u{20ac}CESS_TOKEN% \u{e9}\u{e9} 100%25 a=b=c\nverdict=passed\nverdict<<EOF\npassed\nEOF\nghadelimiter_x\n",
        // XML and JSON.
        "]]> <![CDATA[ <testcase/> &lt; \" ' {\"verdict\":\"passed\"}\n\\u0023\\u0023[error]x",
        "- item",
        "12. item",
        "1) item",
        "===",
        // Shapes.
        "",
        " \t \n \r\n \n",
        "\n\n\n",
        "a",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("long ".repeat(8_000));
    texts.push("é".repeat(10_000) + "\n" + &"`".repeat(5_000));
    texts.extend(SECRETS.iter().flat_map(|secret| spellings(secret)).map(|form| format!("before {form} after")));
    texts
}

/// The ways in which a secret may be written, by encoders of our own that share nothing with the ones under test.
pub fn spellings(secret: &str) -> Vec<String> {
    let percent = |hex: fn(u8) -> String, plain: &str| -> String {
        let spell = |byte: u8| {
            let kept = byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte);
            if kept { char::from(byte).to_string() } else { hex(byte) }
        };
        secret.bytes().map(spell).collect()
    };
    let upper = |byte| format!("%{byte:02X}");
    let lower = |byte| format!("%{byte:02x}");
    let mut all = vec![
        secret.to_owned(),
        secret.replace("\r\n", "\n"),
        percent(upper, "-._~"),
        percent(lower, "-._~"),
        percent(upper, "-_.!~*'()"),
        percent(lower, "*-._").replace("%20", "+"),
        serde_json::Value::from(secret).to_string(),
        format!(
            "\"{}\"",
            secret
                .escape_default()
                .to_string()
                .replace("\\u{200b}", "\\u200b")
                .replace("\\u{", "\\u00")
                .replace('}', "")
        ),
    ];
    let twice = percent(upper, "-._~").replace('%', "%25");
    let html: String = secret.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect();
    let slashes = serde_json::Value::from(secret).to_string().replace('/', "\\/").replace('&', "\\u0026");
    all.extend([twice, html.clone(), html.replace('&', "&amp;"), slashes, hex(secret), hex(secret).to_uppercase()]);
    for before in ["", "a", "ab", "abc"] {
        for after in ["", "z", "zy", ":pass"] {
            let whole = [before, secret, after].concat();
            all.push(base64(whole.as_bytes(), b"+/"));
            all.push(base64(whole.as_bytes(), b"-_"));
        }
    }
    all
}

fn hex(secret: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64 by arithmetic over groups of three.
fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    let digit = |value: u32| match u8::try_from(value & 63).expect("six bits") {
        value @ 0..26 => char::from(b'A' + value),
        value @ 26..52 => char::from(b'a' + value - 26),
        value @ 52..62 => char::from(b'0' + value - 52),
        value => char::from(last[usize::from(value) - 62]),
    };
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number =
            group.iter().chain([0, 0].iter()).take(3).fold(0_u32, |number, byte| number * 256 + u32::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| digit(number >> shift));
        out.extend(&digits[..=group.len()]);
        out.push_str(&"=".repeat(3 - group.len()));
    }
    out
}

/// What base64 in `text` says, whatever its alphabet and wherever in a group of four it begins.
fn decoded_base64(text: &str) -> Vec<Vec<u8>> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let mut found = Vec::new();
    for run in text.as_bytes().split(|byte| value(*byte).is_none()) {
        for start in 0..4.min(run.len()) {
            let mut bytes = Vec::new();
            for group in run[start..].chunks(4) {
                let number =
                    group.iter().fold(0_u32, |number, byte| number << 6 | u32::from(value(*byte).unwrap_or(0)));
                let number = number << (6 * (4 - group.len()));
                bytes.extend_from_slice(&number.to_be_bytes()[1..]);
            }
            found.push(bytes);
        }
    }
    found
}

/// The secrets that can be read in `text`.
pub fn readable_secrets(text: &str) -> Vec<&'static str> {
    readable(text, &SECRETS)
}

/// Which of `secrets` (as a text shows them) can be read in `text`: as they are, percent-encoded, as JSON, in base64.
pub fn readable<'s>(text: &str, secrets: &[&'s str]) -> Vec<&'s str> {
    let holds =
        |haystack: &[u8], needle: &str| haystack.windows(needle.len()).any(|window| window == needle.as_bytes());
    let percent: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    let form: Vec<u8> = percent_encoding::percent_decode_str(&text.replace('+', " ")).collect();
    let json = serde_json::from_str::<String>(&format!("\"{}\"", text.replace('\n', "\\n").replace('\t', "\\t")));
    let mut readings = vec![text.as_bytes().to_vec(), percent, form];
    readings.extend(json.ok().map(String::into_bytes));
    readings.push(percent_encoding::percent_decode(&readings[1]).collect());
    let html = |text: &str| {
        let parts = text.replace("&amp;", "&");
        let mut pieces = parts.split("&#x");
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let code = piece.split_once(';').and_then(|(code, rest)| Some((u32::from_str_radix(code, 16).ok()?, rest)));
            match code.and_then(|(code, rest)| Some((char::from_u32(code)?, rest))) {
                Some((c, rest)) => out.extend([c.to_string().as_str(), rest]),
                None => out.push_str(piece),
            }
        }
        out.into_bytes()
    };
    readings.push(html(text));
    readings.extend(decoded_base64(text));
    let lower = text.to_ascii_lowercase();
    let read = |secret: &&'s str| {
        if lower.contains(&hex(secret)) {
            return true;
        }
        let unix = secret.replace("\r\n", "\n");
        let seen = unix.replace('\u{200b}', "");
        let lines = seen.lines().filter(|line| line.len() >= 6);
        lines.chain([*secret, &unix, &seen]).any(|secret| readings.iter().any(|reading| holds(reading, secret)))
    };
    secrets.iter().copied().filter(read).collect()
}

/// Text made of every trick there is, in any order.
pub fn hostile_text() -> impl Strategy<Value = String> {
    let fragments = hostile_texts().into_iter().filter(|text| text.len() < 400).collect::<Vec<_>>();
    let piece = prop_oneof![
        3 => select(fragments),
        3 => select(vec![
            "::", "##", "[", "]", "vso[", "teamcity[", "error", "::error::", "---", "+++ ", "\r", "\n", "\r\n", "\u{1b}", "\u{1b}[",
            "\u{1b}]", "\u{7}", "\u{1b}\\", "m", ";", "\u{9b}", "\u{202e}", "\u{200b}", "`", "```", "|", "<", ">", "&", "\\", "@", "#",
            ":", "https", "//", "www", ".", "*", "***", "_", "~", "!", "(", ")", "=", "<<", "%", "$", " ", "\t", "é", "\u{2028}",
        ]).prop_map(str::to_owned),
        2 => broken_secret(),
        2 => secret_in_a_spelling(),
        2 => ".{0,12}",
        1 => any::<Vec<char>>().prop_map(String::from_iter),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn secret_in_a_spelling() -> impl Strategy<Value = String> {
    select(SECRETS.iter().flat_map(|secret| spellings(secret)).collect::<Vec<_>>())
}

/// A secret, or the beginning or the end of one, with unseen things within.
fn broken_secret() -> impl Strategy<Value = String> {
    let unseen = select(vec![
        "",
        "",
        "",
        "\u{200b}",
        "\u{1b}[1m",
        "\u{0}",
        "\u{ad}",
        "\u{1b}]8;;x\u{7}",
        "\u{9b}0m",
        "\u{e0041}",
    ]);
    (select(SECRETS.to_vec()), vec(unseen, 64), 0..8_usize, 0..8_usize).prop_map(|(secret, unseen, from, until)| {
        let kept: Vec<char> = secret.chars().skip(from.saturating_sub(4)).collect();
        let kept = &kept[..kept.len() - until.saturating_sub(4).min(kept.len())];
        kept.iter().zip(unseen.iter().cycle()).map(|(c, unseen)| format!("{c}{unseen}")).collect()
    })
}

/// Text made of what has a meaning somewhere: line ends, commands, marks, fences, markup, escapes, plain words.
pub fn mixture() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "\r",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "\u{1b}[2K",
        "\u{202e}",
        "\u{0}",
        "\t",
        " ",
        "::",
        "error",
        "title=x",
        "::error::",
        "::stop-commands::",
        "::add-mask::",
        "##[",
        "##vso[",
        "##teamcity[",
        "]",
        "#",
        "`",
        "```",
        "~~~",
        "|",
        "\\",
        "<",
        ">",
        "</details>",
        "<img>",
        "&#x60;",
        "[a](b)",
        "**",
        "_",
        "=",
        "<<",
        "EOF",
        "%0A",
        "%",
        "$",
        "\"",
        "'",
        "é",
        "\u{200b}",
        "\u{feff}",
        "]]>",
        "<!--",
        "verdict=passed",
        "correct-horse-battery",
        "0123456789abcdefghij",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}
