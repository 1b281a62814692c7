//! Claims about cleaning that need its insides, or exact examples.

use super::*;
use crate::core::{PipelineId, RunId, Target};

mod forms;

fn knowing(secrets: &[&str]) -> Sanitizer {
    let sanitizer = Sanitizer::new();
    for secret in secrets {
        assert!(sanitizer.add_secret(secret), "{secret}");
    }
    sanitizer
}

fn cleaned(secrets: &[&str], text: &str) -> String {
    knowing(secrets).text(&Untrusted::new(text)).to_string()
}

fn stripped(text: &str) -> String {
    cleaned(&[], text)
}

#[test]
fn every_line_break_is_one_line_feed() {
    assert_eq!(stripped("a\r\nb\rc\nd\u{b}e\u{c}f\u{85}g\u{2028}h\u{2029}i"), "a\nb\nc\nd\ne\nf\ng\nh\ni");
    assert_eq!(stripped("a\r\r\nb\n\rc"), "a\n\nb\n\nc");
    // What is not seen between the two halves of a break does not make two of it.
    assert_eq!(stripped("50%\r\u{1b}[K\u{200b}\nb\r\tc"), "50%\nb\n\tc");
    assert_eq!(stripped("a\r\u{1b}[\nb"), "a\nb");
}

#[test]
fn escape_sequences_go_whole() {
    for (text, shown) in [
        ("\u{1b}[1;31mred\u{1b}[0m", "red"),
        ("\u{1b}]8;;https://x\u{7}link\u{1b}]8;;\u{1b}\\.", "link."),
        ("\u{1b}Pq#1~\u{7}~\u{1b}\\a\u{1b}_x\u{1b}\\b\u{1b}^x\u{9c}c\u{1b}Xx\u{1b}\\d", "abcd"),
        ("\u{9b}31mred\u{9d}0;t\u{9c}.\u{90}x\u{9c}\u{98}x\u{9c}\u{9e}x\u{9c}\u{9f}x\u{9c}\u{84}!", "red.!"),
        ("\u{1b}(Ba\u{1b}7b\u{1b}cc\u{1b} Fd\u{1b}%Ge", "abcde"),
        // A sequence that is not one shows its text; cancelled and restarted ones end.
        ("\u{1b}é \u{1b}[é \u{1b}[3\u{18}1m \u{1b}[3\u{1b}[1mx", "é é 1m x"),
        // A control character within one is obeyed, not part of it: the secret below is found.
        ("\u{1b}[3\u{0}1m.\u{1b}[\t1m.\u{1b}]a\tb\u{7}.", ".\t.."),
        // Nothing ends it but the line.
        ("a\u{1b}]x\u{7f}y\nb\u{1b}Pz\r\nc\u{1b}[1\nd\u{1b}\ne", "a\nb\nc\nd\ne"),
    ] {
        assert_eq!(stripped(text), shown, "{text:?}");
    }
}

#[test]
fn hidden_characters_go_and_ordinary_ones_stay() {
    assert_eq!(stripped("\u{202e}a\u{ad}b\u{200d}c\u{fe0f}d\u{e0041}e\u{feff}f\u{fffe}g\u{fff9}h"), "abcdefgh");
    let ordinary = "tab\there, ação, 日本語, Ελληνικά, עברית, a\u{300}, \u{a0}\u{3000}, 🎉, \u{fffd}, \u{e000}";
    assert_eq!(stripped(ordinary), ordinary);
}

#[test]
fn a_broken_up_secret_is_found_and_a_strange_one_is_compared_as_shown() {
    assert_eq!(cleaned(&["hunter22"], "hun\u{1b}[1mter\u{200b}2\u{1b}[3\u{7}1m2"), "***");
    assert_eq!(cleaned(&["hun\u{7}ter\u{ad}22"], "hunter22 hun\u{7}ter22"), "*** ***");
}

#[test]
fn overlapping_secrets_leave_nothing() {
    assert_eq!(cleaned(&["abcdef", "defghi", "hijklm"], "xabcdefghijklmx"), "x***x");
    assert_eq!(cleaned(&["ababab"], "abababab.ababab"), "***.***");
    assert_eq!(cleaned(&["abcdefgh", "cdefgh"], "abcdefgh cdefgh abcdefg"), "*** *** abcdefg");
    assert_eq!(cleaned(&["abcdefxx", "bcdefg"], "abcdefg"), "a***");
    assert_eq!(cleaned(&["abcdefgh", "cdefgx", "bcdefg"], "abcdefgx"), "a***");
    assert_eq!(cleaned(&["xabcdefy", "abcdef"], "xabcdefz xabcdefy"), "x***z ***");
    // One that begins within the beginning of another, where that goes another way than a third; and one that only the
    // beginning of a beginning leads to.
    assert_eq!(cleaned(&["zabcdefq", "zabcdxyz", "abcdxyk"], "zabcdxyk zabcdxyz"), "z*** ***");
    assert_eq!(cleaned(&["xababcq9", "ababdd", "abc1zz"], "xababc1zz xababcq9"), "xab*** ***");
    // Side by side they are two, also where they were waiting for the end of a longer one.
    assert_eq!(cleaned(&["abcdef", "ghijkl", "xabcdefghijklz"], "xabcdefghijkly abcdefghijkl"), "x******y ******");
}

#[test]
fn short_secrets_are_refused_and_harmless() {
    let sanitizer = Sanitizer::new();
    assert!(!sanitizer.add_secret(""));
    assert!(!sanitizer.add_secret("12345"));
    assert!(!sanitizer.add_secret("a\u{200b}\u{200b}b"));
    assert!(sanitizer.add_secret("123456"));
    assert_eq!(sanitizer.text(&Untrusted::new("12345 123456 ab")).as_str(), "12345 *** ab");
}

#[test]
fn clones_share_secrets_on_every_thread_and_the_newest_four_sign_ins_are_remembered() {
    let sanitizer = Sanitizer::new();
    let clone = sanitizer.clone();
    let shown = |text: String| sanitizer.text(&Untrusted::new(text)).to_string();
    std::thread::spawn(move || clone.add_tokens(&["first-token"])).join().expect("a thread");
    assert_eq!(shown("first-token".into()), "***");
    sanitizer.add_secret("first-and-last");
    let token = |number: u32, kind: &str| format!("{kind}-token-number-{number}");
    let code = |number: u32| format!("{}", 100_000 + number);
    for number in 0..4 {
        sanitizer.add_tokens(&[&code(number)]);
        let tokens = ["access", "id", "refresh"].map(|kind| token(number, kind));
        sanitizer.add_tokens(&tokens.each_ref().map(String::as_str));
        // What is known already pushes out nothing.
        sanitizer.add_tokens(&[&token(0, "access")]);
    }
    assert_eq!(shown("first-token".into()), "first-token");
    for number in 0..4 {
        assert_eq!(["access", "id", "refresh"].map(|kind| shown(token(number, kind))), ["***"; 3]);
        assert_eq!(shown(code(number)), "***");
        let in_base64 = data_encoding::BASE64.encode(token(number, "id").as_bytes());
        assert_ne!(shown(in_base64.clone()), in_base64);
    }
    sanitizer.add_tokens(&[&code(4)]);
    sanitizer.add_tokens(&[&token(4, "access")]);
    assert_eq!(shown(token(0, "access")), token(0, "access"));
    assert_eq!([token(1, "access"), token(4, "access"), "first-and-last".into()].map(shown), ["***"; 3]);
    assert_eq!(format!("{sanitizer:?}"), "Sanitizer { .. }");
}

#[test]
fn a_text_cut_off_within_a_secret_does_not_show_its_beginning() {
    let cut_off = |secrets: &[&str], text: &[u8]| {
        let mut stream = knowing(secrets).stream();
        stream.push(text).to_string() + &stream.cut_off()
    };
    assert_eq!(cut_off(&["topsecret"], b"a topsecre"), "a ***");
    assert_eq!(cut_off(&["topsecret"], b"a topse"), "a topse");
    assert_eq!(cut_off(&["topsecret", "a tops"], b"a topsecre"), "***");
    assert_eq!(cut_off(&["topsecret"], b"topsecret"), "***");
    assert_eq!(cut_off(&["sécrété"], b"x s\xc3\xa9cr\xc3\xa9t\xc3"), "x ***");
    assert_eq!(cut_off(&["abc%41defg"], b"x abc%41def"), "x ***");
}

/// As long as those of the service may be.
#[test]
fn many_tokens_take_a_few_bytes_a_byte() {
    let sanitizer = Sanitizer::new();
    let mut noise = 1_u64;
    let mut token = |length: usize| -> String {
        let letters = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(noise >> 58) as usize])
        });
        "eyJraWQiOiJhYmMiLCJhbGciOiJSUzI1NiJ9.".chars().chain(letters.take(length)).collect()
    };
    let tokens: Vec<String> = (0..8).map(|number| token(800 + number % 3 * 500)).collect();
    for token in &tokens {
        sanitizer.add_tokens(&[token]);
    }
    // Each as it is, twice in hexadecimal and six times in base64: fourteen times its length.
    let length: usize = tokens.iter().map(String::len).sum();
    let size = sanitizer.patterns().size();
    assert!(size < 40 * length, "{size} bytes for tokens of {length}");
    for token in [&tokens[0], &tokens[7]] {
        assert_eq!(sanitizer.text(&Untrusted::new(format!("a {token} b"))).as_str(), "a *** b");
    }
}

#[test]
fn the_beginning_of_an_answer_shows_no_part_of_a_secret() {
    let token = "eyJhbGciOiJSUzI1NiJ9.".to_owned() + &"SECRETPAYLOAD".repeat(120);
    let sanitizer = knowing(&[&token]);
    let beginning = |text: String| sanitizer.beginning(&Untrusted::new(text)).raw().to_owned();
    assert_eq!(beginning(format!("invalid token: {token} (what it was)")), "invalid token: *** (what it was)");
    // The answer was cut off within it.
    assert_eq!(beginning(format!("{}\ninvalid: {}", "\u{1b}[31m".repeat(100), &token[..900])), "invalid: ***");
    let long = beginning("é".repeat(5_000));
    assert!(long.len() <= 512 && long.ends_with("é…"), "{long}");
}

/// A stream holds a window and what windows overlap by, never more.
#[test]
fn a_stream_needs_no_memory_for_what_never_ends() {
    let sanitizer = knowing(&["aaaaaaaaab", "zzzzzz"]);
    for piece in ["\u{1b}]0;a", "\u{1b}[;0", "aaaaaaaa", "zzzz", "%%25", "\\\\"] {
        let mut stream = sanitizer.stream();
        stream.push(piece.as_bytes());
        for _ in 0..4_000 {
            stream.push(&piece.as_bytes()[piece.len() - 2..].repeat(50));
            let held = stream.undecoded.len() + stream.redact.held();
            assert!(held < 256 * 1024, "{piece:?} holds {held}");
        }
    }
}

#[test]
fn a_text_in_pieces_is_redacted_as_the_whole_wherever_the_windows_meet() {
    let secret = "hunter22-correct-horse";
    let encoded: String = secret.bytes().map(|byte| format!("&amp;#x{byte:04x};")).collect();
    let sanitizer = knowing(&[secret, "ababab"]);
    let text: String =
        (0..4_000).map(|n| format!("{}{secret} {n}\n{encoded}{}", ".".repeat(n % 97), "ab".repeat(n % 50))).collect();
    let whole = sanitizer.text(&Untrusted::new(text.as_str()));
    assert!(whole.matches("***").count() > 8_000 && !whole.contains("hunter22") && !whole.contains("ababab"));
    for size in [97, 1_000, 70_001] {
        let mut stream = sanitizer.stream();
        let mut pieces: String = text.as_bytes().chunks(size).map(|piece| stream.push(piece).to_string()).collect();
        pieces.push_str(&stream.finish());
        assert!(pieces == *whole, "in pieces of {size}");
    }
}

/// Quadratic, this would take hours: a dozen tokens that begin alike, and a text that is nothing but that beginning.
#[test]
fn time_is_linear_however_close_a_text_comes_to_many_secrets() {
    let sanitizer = Sanitizer::new();
    let beginning = "eyJhbGciOiJSUzI1NiJ9.".repeat(20);
    for number in 0..12 {
        sanitizer.add_secret(&format!("{beginning}{number:03}"));
    }
    let text = beginning.repeat(500);
    assert_eq!(sanitizer.text(&Untrusted::new(text.as_str())).len(), text.len());
    let hashes = "##a[".repeat(50_000) + &"#".repeat(200_000) + &"1".repeat(100_000) + &".".repeat(100_000);
    assert!(super::super::escape::log_line(&hashes).len() >= hashes.len());
    assert!(super::super::escape::markdown_inline(&(hashes + &":a".repeat(100_000))).len() > 500_000);
}

#[test]
fn a_cut_falls_between_lines_where_it_can() {
    let text: String = (0..100).map(|number| format!("line {number}\n")).collect();
    let short = cut(&Sanitized::ours(text.as_str()), 120);
    assert_eq!(
        short.as_str(),
        "line 0\nline 1\nline 2\nline 3\n[... 707 bytes left out ...]\nline 93\nline 94\nline 95\nline 96\nline 97\nline 98\nline 99\n"
    );
    // A break that would leave next to nothing is passed over.
    let (early, late) = (format!("ab\n{}", "x".repeat(500)), format!("{}\nyz", "x".repeat(500)));
    let (early, late) = (cut(&Sanitized::ours(early), 120), cut(&Sanitized::ours(late), 120));
    assert!(early.starts_with("ab\nxxxxxxxxxx") && late.ends_with("xxxxxxxxxx\nyz"), "{early} {late}");
    let long_line = "é".repeat(500);
    let short = cut(&Sanitized::ours(long_line.as_str()), 101);
    assert!(short.starts_with("éé") && short.ends_with("éé") && short.len() <= 101 && short.len() >= 95, "{short}");
    assert_eq!(cut(&Sanitized::ours("ééé"), 5).as_str(), "éé");
    assert_eq!(cut(&Sanitized::ours("ééé"), 6).as_str(), "ééé");
}

#[test]
fn a_line_that_was_shortened_says_so() {
    let line = |text: &str, limit| Sanitizer::new().line(&Untrusted::new(text), limit).to_string();
    assert_eq!(line(" one\r\ntwo\tthree ", 99), "one two three");
    assert_eq!(line("one two three", 7), "one…");
    assert_eq!(line("éééé", 7), "éé…");
    assert_eq!(line("éééé", 2), "é");
    assert_eq!(line("x", 0), "");
}

#[test]
fn what_can_not_be_seen_in_a_status_is_shown_by_its_number() {
    let sanitizer = knowing(&["topsecret"]);
    for (status, line, output) in [
        ("SUC\u{200b}CESS", "SUC<U+200B>CESS", "SUC?CESS"),
        ("SUCCESS\u{0}", "SUCCESS<U+0000>", "SUCCESS?"),
        ("\u{feff}SUCCESS\u{3000}", "<U+FEFF>SUCCESS<U+3000>", "?SUCCESS?"),
        ("\u{1b}[31mFAILED", "<U+001B>[31mFAILED", "??31mFAILED"),
        ("SU\u{202e}SSECC", "SU<U+202E>SSECC", "SU?SSECC"),
        // Letters of another script, if they stand among ours.
        ("SU\u{421}CESS", "SU<U+0421>CESS", "SU?CESS"),
        ("\u{ff33}UCCESS", "<U+FF33>UCCESS", "?UCCESS"),
        (" UP FOR\tRETRY\r\n", "UP FOR RETRY", "UP FOR RETRY"),
        ("CONCLU\u{cd}DO", "CONCLU\u{cd}DO", "CONCLU?DO"),
        ("\u{5b8c}\u{4e86} \u{435}", "\u{5b8c}\u{4e86} \u{435}", "?? ?"),
        // A secret stays hidden: in pieces, it would be shown.
        ("top\u{200b}secret \u{0}", "***", "???"),
    ] {
        let untrusted = Untrusted::new(status);
        let shown = (sanitizer.word(&untrusted, 256).to_string(), sanitizer.status(&untrusted));
        assert_eq!(shown, (line.to_owned(), output.to_owned()), "{status:?}");
    }
}

#[test]
fn a_text_whose_sanitizing_was_stopped_says_so_and_shows_no_part_of_a_secret() {
    let sanitizer = knowing(&["topsecret"]);
    let text = Untrusted::new("x".repeat(PIECE - 6) + "topsecret" + &"y".repeat(2 * PIECE));
    let after = |steps| {
        let mut begun = sanitizer.begin(&text);
        (0..steps).for_each(|_| assert!(begun.step()));
        begun.finish().to_string()
    };
    let left_out = |bytes| format!("\n[... the last {bytes} bytes left out: the gate was stopped ...]\n");
    assert_eq!(after(0), left_out(3 * PIECE + 3));
    assert_eq!(after(1), "x".repeat(PIECE - 6) + "***" + &left_out(2 * PIECE + 3));
    assert_eq!(after(2), "x".repeat(PIECE - 6) + "***" + &"y".repeat(PIECE - 3) + &left_out(PIECE + 3));
    assert!(sanitizer.text(&text).ends_with("yyy"));
}

/// A line is shown of it, so a status of megabytes costs no more than its beginning.
#[test]
fn a_line_is_the_beginning_of_the_whole_however_long_that_is() {
    let sanitizer = knowing(&["topsecret"]);
    let blanks = " \n".repeat(100_000);
    for (text, limit, line) in [
        (format!("{blanks}one{blanks}"), 3, "one"),
        (format!("{blanks}one{blanks}two"), 4, "o…"),
        (format!("{}end{blanks}", "top\nsecret topsecret".repeat(20_000)), 12, "*** *****…"),
    ] {
        assert_eq!(sanitizer.line(&Untrusted::new(text), limit).as_str(), line);
    }
}

#[test]
fn what_the_user_has_said_is_never_redacted_and_every_other_id_is() {
    let sanitizer = knowing(&["ababab"]);
    let hostile = Untrusted::new(" run_ababab\u{202e}\u{1b}[0m_1\n");
    assert_eq!((&*sanitizer.answered_id(&hostile), &*sanitizer.given(&hostile)), ("run_***_1", "run_ababab_1"));
    let (pipeline, run) = (PipelineId::new("p-ababab").expect("an id"), RunId::new("Run_ababab-1").expect("an id"));
    sanitizer.add_asked([&Wanted::Run(Target { pipeline, run })]);
    let id = |text: &str| sanitizer.id(text).to_string();
    // As the gate compares them.
    for asked in ["p-ababab", "P_ababab", "Run_ababab-1", "run-ABABAB_1"] {
        assert_eq!(id(asked), asked);
    }
    for other in ["run_ababab_2", "run_ababab_1x", "p_ababab ", "\u{200b}p_ababab"] {
        assert!(id(other).contains("***"), "{other}");
    }
}
