//! docs/reference.md#untrusted-text-and-secrets: parsed by the runner's own rules, nothing we print yields a command, an output
//! or a markup that we did not mean; and secrets stand in nothing that came from outside.

use maestro_gate::core::{Answer, Gate, Limits, Observation, Rules, Untrusted, Wanted};
use maestro_gate::report::sanitize::{Sanitized, Sanitizer, cut};
use maestro_gate::report::{escape, messages};
use proptest::prelude::*;

use crate::fixture;
use crate::hostile::{SECRETS, hostile_text, hostile_texts, readable_secrets};
use crate::runner::{azure, azure_warns_of, buildkite_groups, github, gitlab, markdown, teamcity};

fn sanitizer() -> Sanitizer {
    let sanitizer = Sanitizer::new();
    for secret in SECRETS {
        assert!(sanitizer.add_secret(secret), "{secret}");
    }
    sanitizer
}

thread_local! {
    static CLEANER: Sanitizer = sanitizer();
}

fn clean(text: &str) -> Sanitized {
    CLEANER.with(|sanitizer| sanitizer.text(&Untrusted::new(text)))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Runs a claim on every fixed text, and on mixtures of them.
#[track_caller]
fn claim(mixtures: u32, claim: impl Fn(&str)) {
    hostile_texts().iter().for_each(|text| claim(text));
    let run = proptest::test_runner::TestRunner::new(cases(mixtures)).run(&hostile_text(), |text| {
        claim(&text);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// Everything that some runner would act on in a log.
pub fn obeyed(log: &str) -> Vec<String> {
    let mut found: Vec<String> = github::commands(log).into_iter().map(|command| command.name).collect();
    found.extend(github::act_commands(log));
    found.extend(azure(log).into_iter().map(|command| command.name));
    found.extend(azure_warns_of(log));
    found.extend(teamcity(log));
    found.extend(buildkite_groups(log));
    found.extend(gitlab::sections(log));
    found
}

#[test]
fn the_hostile_texts_are_dangerous_as_they_come() {
    let all = hostile_texts().join("\n");
    assert!(github::commands(&hostile_texts()[2]).is_empty() && !github::commands(&hostile_texts()[1]).is_empty());
    assert!(github::act_commands(&all).len() > 3);
    assert!(!azure(&all).is_empty());
    assert!(!teamcity(&all).is_empty());
    assert!(buildkite_groups(&all).len() > 3);
    assert!(!gitlab::sections(&all).is_empty());
    assert_eq!(readable_secrets(&all), SECRETS);
    for kind in ["<script>", "image", "link", "heading", "table"] {
        let texts = hostile_texts();
        let found = texts.iter().flat_map(|text| markdown::kinds(&markdown::parse(text)));
        assert!(found.into_iter().any(|found| found.contains(kind)), "{kind}");
    }
}

#[test]
fn clean_text_holds_only_what_a_reader_sees() {
    claim(200, |text| {
        let clean = clean(text);
        assert!(clean.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{clean:?}");
        let hidden = "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\
            \u{2068}\u{2069}\u{61c}\u{ad}\u{feff}\u{fffe}\u{ffff}\u{fff9}\u{2028}\u{2029}\u{fe0f}\u{e0041}";
        assert!(!clean.contains(|c| hidden.contains(c)), "{clean:?}");
    });
}

#[test]
fn no_secret_is_left_in_any_spelling() {
    claim(300, |text| {
        let clean = clean(text);
        assert_eq!(readable_secrets(&clean), [""; 0], "{text:?} became {clean:?}");
        let line = CLEANER.with(|sanitizer| sanitizer.line(&Untrusted::new(text), usize::MAX));
        assert_eq!(readable_secrets(&line), [""; 0], "{text:?} became {line:?}");
    });
}

#[test]
fn cleaning_again_changes_nothing() {
    claim(200, |text| {
        let once = clean(text);
        assert_eq!(clean(&once), once);
        let line = |text: &str| CLEANER.with(|sanitizer| sanitizer.line(&Untrusted::new(text), 4096));
        assert_eq!(line(&line(text)), line(text));
    });
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_text_in_pieces_is_cleaned_as_the_whole(
        text in hostile_text(),
        wrong in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        pieces in proptest::collection::vec(0..9_usize, 1..40),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte) in wrong {
            bytes.insert(at.index(bytes.len() + 1), byte);
        }
        let mut stream = CLEANER.with(Sanitizer::stream);
        let mut found = String::new();
        let mut rest = bytes.as_slice();
        for size in pieces.iter().cycle().map(|size| size * size).chain([usize::MAX]) {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            found.push_str(&stream.push(piece));
            rest = after;
            if rest.is_empty() || pieces.iter().all(|size| *size == 0) {
                break;
            }
        }
        found.push_str(&stream.push(rest));
        found.push_str(&stream.finish());
        let whole = CLEANER.with(|sanitizer| sanitizer.text(&Untrusted::new(String::from_utf8_lossy(&bytes))));
        prop_assert_eq!(found, whole.as_str());
    }

    #[test]
    fn a_cut_keeps_head_and_tail_and_the_limit(text in hostile_text(), limit in 0..600_usize) {
        let text = clean(&text);
        let short = cut(&text, limit);
        prop_assert!(short.len() <= limit);
        if text.len() <= limit {
            prop_assert_eq!(&short, &text);
        } else if limit >= 100 {
            let (head, rest) = short.split_once("[... ").expect("a mark");
            let (count, tail) = rest.split_once(" bytes left out ...]\n").expect("a mark");
            let head = head.strip_suffix('\n').unwrap_or(head);
            prop_assert!(text.starts_with(head) && text.ends_with(tail));
            prop_assert_eq!(head.len() + tail.len() + count.parse::<usize>().expect("a number"), text.len());
            prop_assert!(head.len() >= 8 && tail.len() >= 16, "{} and {} of {}", head.len(), tail.len(), limit);
        }
    }

    #[test]
    fn a_line_is_one_line_within_its_limit(text in hostile_text(), limit in 0..80_usize) {
        let line = CLEANER.with(|sanitizer| sanitizer.line(&Untrusted::new(text), limit));
        prop_assert!(line.len() <= limit && !line.contains(['\n', '\t']));
        prop_assert_eq!(line.trim(), line.as_str());
    }
}

#[test]
fn no_line_of_the_log_is_a_command_or_a_section() {
    claim(300, |text| {
        let text = clean(text);
        let gutter = escape::gutter(&text);
        assert_eq!(obeyed(&gutter), [""; 0], "{gutter:?}");
        assert!(gutter.lines().all(|line| line.starts_with("  |")));
        assert_eq!(gutter.lines().count(), text.lines().count());
        let lines: String = text.split('\n').map(|line| escape::log_line(line) + "\n").collect();
        assert_eq!(obeyed(&lines), [""; 0], "{lines:?}");
        assert_eq!(escape::log_line(&text).lines().count(), usize::from(!text.is_empty()));
    });
}

/// Even text that was never cleaned opens nothing in a runner that reads as GitHub's does.
#[test]
fn the_gutter_alone_stops_commands_behind_line_breaks() {
    claim(100, |text| {
        let gutter = escape::gutter(text);
        assert!(gutter.split(['\n', '\r']).filter(|line| !line.is_empty()).all(|line| line.starts_with("  |")));
        assert_eq!(github::act_commands(&gutter), [""; 0], "{gutter:?}");
    });
}

#[test]
fn nothing_between_stop_marks_resumes_commands() {
    claim(50, |text| {
        let log =
            format!("::stop-commands::3f9c2a77d1\n{}::3f9c2a77d1::\n::notice::end\n", escape::gutter(&clean(text)));
        let names: Vec<String> = github::commands(&log).into_iter().map(|command| command.name).collect();
        assert_eq!(names, ["stop-commands", "notice"]);
    });
}

#[test]
fn a_workflow_command_says_exactly_what_was_meant() {
    claim(200, |text| {
        let text = clean(text);
        let (title, data) = (escape::github_property(&text), escape::github_data(&text));
        let log = format!("::error title={title},line=1::{data}\n");
        let commands = github::commands(&log);
        assert_eq!(commands.len(), 1, "{log:?}");
        assert_eq!((commands[0].name.as_str(), commands[0].data.as_str()), ("error", text.as_str()));
        assert_eq!(commands[0].properties["line"], "1");
        // The runner trims what stands around the properties, and drops an empty one.
        if let Some(title) = commands[0].properties.get("title").filter(|_| !text.starts_with('=')) {
            assert_eq!(title, text.as_str());
        }
        assert!(commands[0].properties.len() <= 2);
        assert!(azure(&escape::log_line(&log)).is_empty());
    });
}

#[test]
fn a_dotenv_value_is_one_value_everywhere_and_can_be_decoded() {
    claim(200, |text| {
        let text = clean(text);
        let value = escape::dotenv_value(&text);
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/@%+,=-".contains(&byte)), "{value}");
        assert_eq!(percent_encoding::percent_decode_str(&value).decode_utf8().expect("text"), text.as_str());
        // GitLab's own reading of a byte beyond ASCII is the only reference left: two digits, a variable that nobody has.
        let names = gitlab::references(&value);
        assert!(names.iter().all(|name| name.len() == 2 && !text.is_ascii()), "{names:?} in {value}");
        if value.len() < 4000 {
            let file = format!("A={value}\nB=end\n");
            let read = gitlab::dotenv(&file).expect("a report");
            assert_eq!((read["A"].as_str(), read["B"].as_str(), read.len()), (value.as_str(), "end", 2));
        }
    });
    assert_eq!(escape::dotenv_value("manual__2024-12-18T10:30:00+00:00"), "manual__2024-12-18T10:30:00+00:00");
    assert_eq!(escape::dotenv_value("a b$X%Y%\n~é"), "a%20b%24X%25Y%25%0A%7E%C3%A9");
}

#[cfg(unix)]
#[test]
fn a_dotenv_file_can_be_sourced_by_a_shell() {
    let text: String = (1..=127_u8).map(char::from).collect();
    let value = escape::dotenv_value(&text);
    let script = format!("A={value}\nprintf %s \"$A\"");
    let output = std::process::Command::new("sh").args(["-c", &script]).env_clear().output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stdout), value);
    assert!(output.stderr.is_empty() && output.status.success());
}

#[test]
fn dotenv_keys_are_names_for_gitlab_and_shells() {
    assert_eq!(escape::dotenv_key("MAESTRO_GATE_", "exit-code"), "MAESTRO_GATE_EXIT_CODE");
    assert_eq!(escape::dotenv_key("", "run-id"), "RUN_ID");
    claim(50, |text| {
        let key = escape::dotenv_key(&clean(text), "verdict");
        assert!(
            key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !key.starts_with(|c: char| c.is_ascii_digit())
        );
    });
}

#[test]
fn json_in_the_log_is_the_same_json_and_no_command() {
    claim(200, |text| {
        let value = serde_json::json!({ "note": clean(text).as_str(), "##[error]": text });
        let line = escape::json_log(&value.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("JSON"), value);
        assert_eq!(obeyed(&line), [""; 0], "{line}");
    });
}

/// What a reader of rendered Markdown gets to see of a text, blanks aside.
fn seen(text: &str) -> String {
    text.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn text_in_markdown_stays_text() {
    claim(200, |text| {
        let text = clean(text);
        let inline = escape::markdown_inline(&text);
        let tree = markdown::parse(&format!("{inline}\n"));
        let expected: &[&str] = if inline.is_empty() { &["root"] } else { &["root", "paragraph", "text"] };
        assert_eq!(markdown::kinds(&tree), expected, "{inline:?}");
        assert_eq!(seen(&markdown::words(&tree)), seen(&text));
        assert_eq!(markdown::made_of_words(&markdown::words(&tree)), [""; 0], "{inline:?}");

        let row = format!("| a | b |\n|---|---|\n| {inline} | end |\n\nafter\n");
        let tree = markdown::parse(&row);
        let kinds = markdown::kinds(&tree).join(" ");
        let cells = if inline.is_empty() { "tablecell tablecell text" } else { "tablecell text tablecell text" };
        assert_eq!(
            kinds,
            format!("root table tablerow tablecell text tablecell text tablerow {cells} paragraph text"),
            "{row:?}"
        );
    });
}

#[test]
fn markdown_that_only_counts_at_the_start_of_a_line_is_text_there_too() {
    for text in [
        "- item", "+ item", "12. item", "1) item", "===", "--", ":-", "# a", "> a", "    code", "\tcode", "[a]: b",
        "| a",
    ] {
        let tree = markdown::parse(&format!("{}\n", escape::markdown_inline(text)));
        assert_eq!(markdown::kinds(&tree), ["root", "paragraph", "text"], "{text}");
        let tree = markdown::parse(&format!("before\n{}\n", escape::markdown_inline(text)));
        assert_eq!(markdown::kinds(&tree), ["root", "paragraph", "text"], "{text}");
    }
    assert_eq!(escape::markdown_inline(" run_1 <b>\n06:00:00 "), "run\\_1 &#60;b&#62; 06:00:00");
    // What begins no list has no use for a backslash, which is seen where no Markdown is read.
    for text in ["v1.2", "1234567890. x", "after 3) x"] {
        assert_eq!(escape::markdown_inline(text), text);
    }
    assert_eq!(escape::markdown_inline("123456789. x"), "123456789\\. x");
    assert_eq!(escape::markdown_inline("a\tb #c #1"), "a b \\#c \\#&#8203;1");
}

#[test]
fn a_fenced_text_stays_one_block_of_code() {
    claim(200, |text| {
        let text = clean(text);
        let tree = markdown::parse(&format!("before\n\n{}\nafter *x*\n", escape::markdown_fence(&text)));
        let code = format!("code {}", text.strip_suffix('\n').unwrap_or(&text));
        let expected = ["root", "paragraph", "text", &code, "paragraph", "text", "emphasis", "text"];
        assert_eq!(markdown::kinds(&tree), expected);
    });
}

#[test]
fn a_code_span_stays_one_span_in_a_cell() {
    let claim_of = |text: &str| {
        let text = clean(text);
        let span = escape::markdown_code_span(&text);
        let tree = markdown::parse(&format!("| a | b |\n|---|---|\n| {span} | end |\n\nx {span} y\n"));
        let kinds = markdown::kinds(&tree).into_iter().filter(|kind| kind != "text" && kind != "html <!-- -->");
        let row = |span: &[&str]| {
            let start = ["root", "table", "tablerow", "tablecell", "tablecell", "tablerow", "tablecell"];
            [&start, span, &["tablecell", "paragraph"], span].concat().join("\0")
        };
        let code = format!("inline code {}", seen(&text));
        let expected = match () {
            () if span.is_empty() => row(&[]),
            () if text.contains('|') => row(&["html <code>", "html </code>"]),
            () => row(&[&code]),
        };
        let found = kinds.map(|kind| if kind.starts_with("inline") { seen(&kind) } else { kind });
        assert_eq!(found.collect::<Vec<_>>().join("\0"), expected.replace(&code, &seen(&code)), "{span:?}");
    };
    // Without a `|` and with one, which makes it an element.
    claim(200, claim_of);
    claim(200, |text| claim_of(&format!("{text}|")));
}

#[test]
fn a_status_keeps_to_its_alphabet_and_shows_no_secret() {
    claim(200, |text| {
        let word = CLEANER.with(|sanitizer| sanitizer.status(&Untrusted::new(text)));
        assert!(
            word.len() <= 64 && word.chars().all(|c| c.is_ascii_alphanumeric() || "_ .:-?".contains(c)),
            "{word:?}"
        );
        assert!(!word.contains("ababab"), "{word:?}");
    });
    let status = |text: &str| Sanitizer::new().status(&Untrusted::new(text));
    assert_eq!(status(" UP_FOR_RETRY\r\n"), "UP_FOR_RETRY");
    assert_eq!(status("\u{1b}[31mUP_FOR_RETRY"), "??31mUP_FOR_RETRY");
    assert_eq!(status("ok\u{e9}; x\n##[error]"), "ok?? x ???error?");
}

#[test]
fn a_secret_in_a_status_value_is_hidden_before_the_word_is_cut() {
    // As long as a token: 64 characters of it are none that the cleaner knows.
    let secret = format!("eyJhbGciOiJIUzI1NiJ9.{}", "c2VjcmV0".repeat(40));
    let sanitizer = Sanitizer::new();
    sanitizer.add_tokens(&[&secret]);
    let limit = fixture::seconds(600);
    let rules = Rules::within(Limits { timeout: limit, appear: limit, outage: limit });
    let target = fixture::target(fixture::PIPELINE, fixture::RUN);
    let mut gate = Gate::new(rules, vec![Wanted::Run(target.clone())]);
    let mut notices = Vec::new();
    let record = fixture::seen(&secret, maestro_gate::core::Meaning::Unknown, None).record;
    let answer = Answer { observation: Observation::Record(record), retry_after: None, date: None };
    gate.observe(0, fixture::seconds(1), answer, &mut notices);
    let names = messages::RunNames::new([Wanted::Run(target)], &sanitizer);
    let notes: Vec<String> = notices
        .iter()
        .filter_map(|notice| messages::note(notice, &names, &sanitizer))
        .map(|note| note.text.to_string())
        .collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.iter().all(|text| text.contains("***") && !text.contains(&secret[..20])), "{notes:?}");
}
