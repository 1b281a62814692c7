//! `cargo run --example demo` is a tour that fits on two screens, shows what a person sees, and holds itself to the reference.

use std::process::{Command, Output};

use crate::harness::example;

fn demo(arguments: &[&str]) -> Output {
    Command::new(example("demo")).args(arguments).output().expect("`cargo test` builds the example")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The rows of the table at the end: scene, verdict, exit code.
fn table(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().skip_while(|line| !line.starts_with("scene "));
    rows.skip(1).take_while(|line| !line.is_empty()).map(|row| row.split_whitespace().collect()).collect()
}

#[test]
fn the_tour_has_at_most_120_lines_as_a_person_sees_them_and_ends_with_a_table() {
    let output = demo(&[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(text.lines().count() <= 120, "{} lines:\n{text}", text.lines().count());

    let expected = [
        ["success", "passed", "0"],
        ["failure", "failed", "1"],
        ["timeout", "timed-out", "3"],
        ["outage", "passed", "0"],
        ["fresh", "passed", "0"],
        ["trigger", "passed", "0"],
    ];
    assert_eq!(table(&text), expected, "{text}");
    assert!(text.lines().next_back().is_some_and(|line| line.starts_with("Try next: cargo run ")), "{text}");

    let scenes: Vec<&str> = text.split("\n=== ").skip(1).collect();
    assert_eq!(scenes.len(), expected.len());
    for (scene, [name, verdict, code]) in scenes.iter().zip(expected) {
        let mut lines = scene.lines();
        assert!(lines.next().is_some_and(|title| title.ends_with(&format!(": {name} ==="))), "{scene}");
        assert!(lines.next().is_some_and(|about| about.ends_with('.')), "a sentence says what happens: {scene}");
        assert!(lines.next().is_some_and(|command| command.starts_with("$ maestro-gate --")), "{scene}");
        assert!(scene.contains(&format!("  | maestro-gate: {verdict} (exit code {code}): ")), "{scene}");
        // No scene shows an error that is not its subject.
        assert_eq!(scene.contains("| Error: "), verdict != "passed", "{scene}");
        assert_eq!(scene.contains("the service answered 503"), name == "outage", "{scene}");
        assert!(!scene.contains("| Warning: ") && !scene.contains("404"), "{scene}");
    }
    for raw in ["::", "mermaid", "%%{", "<sub>", "<details>", "**", "```"] {
        assert!(!text.contains(raw), "{raw:?} is for machines:\n{text}");
    }
    assert!(scenes[1].contains("The job summary on GitHub:") && scenes[1].contains("FAILED\n"), "{}", scenes[1]);
}

#[test]
fn one_scene_can_be_seen_whole_and_raw() {
    let whole = demo(&["--scene", "failure"]);
    let text = stdout(&whole);
    assert_eq!((whole.status.code(), table(&text)), (Some(0), vec![vec!["failure", "failed", "1"]]), "{text}");
    assert!(text.contains("\nThe outputs for later steps:\n") && text.contains("| exit-code: 1\n"), "{text}");
    assert!(!text.contains("::stop-commands::"), "{text}");

    let raw = demo(&["--scene", "failure", "--raw"]);
    let text = stdout(&raw);
    assert_eq!(raw.status.code(), Some(0), "{text}");
    assert!(text.contains("  | ::stop-commands::") && text.contains("  | ## "), "{text}");
    let commands = text.lines().filter(|line| line.starts_with("::"));
    assert_eq!(commands.count(), 0, "a CI that runs the demo takes none of its lines for a command: {text}");
}

#[test]
fn an_unknown_scene_is_an_error_that_names_the_scenes() {
    let output = demo(&["--scene", "nonsense"]);
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{says}");
    assert!(says.contains("success, failure, timeout, outage, fresh, trigger"), "{says}");
}
