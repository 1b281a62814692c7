//! One file under two names, which only the file system knows of: as much an input error as the same path twice.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::harness::{
    self, FAILED, PASSWORD, Story, StoryOutcome, TOKEN_MADE_ELSEWHERE, USERNAME, make_folder, service_of, write,
};
use crate::stand_in::Service;

/// Refused before any request, for this reason.
#[track_caller]
fn refused(service: &Service, outcome: StoryOutcome, says: &str) -> StoryOutcome {
    assert_eq!(outcome.code, Some(2), "{says}: {}", outcome.log());
    assert!(outcome.log().contains(says), "{says}: {}", outcome.log());
    assert!(service.requests().is_empty(), "{says}");
    outcome
}

fn soft(to: &Path, from: &Path) {
    symlink(to, from).expect("a link");
}

/// A hard link.
fn twin(to: &Path, from: &Path) {
    fs::hard_link(to, from).expect("a link");
}

#[test]
fn a_report_that_leads_to_another_report_is_an_input_error_whether_that_is_there_or_not() {
    let service = harness::service();
    for old in [None, Some("old")] {
        let story = Story::at(&service);
        old.inspect(|text| write(&story.path("report.json"), text));
        // A link to a link, and beside the file that it means.
        symlink("other.xml", story.path("report.xml")).expect("a link");
        symlink("report.json", story.path("other.xml")).expect("a link");
        let outcome =
            refused(&service, story.play(), "report.xml\": this path is the report of json; another one is needed");
        assert_eq!(outcome.verdict(), "invalid-input");
        assert!(outcome.files.iter().any(|(path, text)| path.ends_with("report.json") && text.starts_with('{')));
    }
}

#[test]
fn a_folder_under_two_names_is_one_folder() {
    let service = harness::service();
    for is_there in [true, false] {
        let story = Story::at(&service);
        if is_there {
            make_folder(&story.path("real"));
        }
        symlink("real", story.path("sl")).expect("a link");
        let (first, second) = (story.path("real/new/x"), story.path("sl/new/./y/../x"));
        let outcome = refused(
            &service,
            story.with("json", first).with("junit", second).play(),
            "this path is the report of json",
        );
        assert!(outcome.files.iter().any(|(path, text)| path.ends_with("real/new/x") && text.starts_with('{')));
    }
    let story = Story::at(&service);
    make_folder(&story.path("real"));
    symlink("real", story.path("outputs")).expect("a link");
    let json = story.path("real/verdict");
    let outcome = story.with("json", json).start().finish_unchecked();
    refused(&service, outcome, "one of the outputs' files in this folder is the report of json");
    let story = Story::at(&service);
    make_folder(&story.path("outputs"));
    symlink("../report.json", story.path("outputs/verdict")).expect("a link");
    refused(
        &service,
        story.start().finish_unchecked(),
        "one of the outputs' files in this folder is the report of json",
    );
}

#[test]
fn a_file_of_the_ci_is_never_replaced_whatever_name_a_report_has() {
    let service = harness::service();
    for name in ["GITHUB_OUTPUT", "GITHUB_ENV"] {
        for link in [soft, twin] {
            let story = Story::at(&service);
            let (file, report) = (story.path("commands"), story.path("report.md"));
            write(&file, "BEFORE=1\n");
            link(&file, &report);
            let outcome = refused(
                &service,
                story.env(name, &file).start().finish_unchecked(),
                &format!("this path is the CI's own file {name}"),
            );
            let left = outcome.files.iter().find(|(path, _)| path.ends_with("commands")).map(|(_, text)| text.as_str());
            assert!(left.is_some_and(|text| text.starts_with("BEFORE=1\n")), "{left:?}");
        }
    }
}

#[test]
fn a_file_that_is_read_is_not_written_over() {
    let service = harness::service();
    for (input, content) in [("password-file", PASSWORD), ("access-token-file", TOKEN_MADE_ELSEWHERE)] {
        let story = Story::at(&service).without_password();
        let (file, link, twin) = (story.path("secret"), story.path("link"), story.path("twin"));
        write(&file, content);
        symlink(&file, &link).expect("a link");
        self::twin(&file, &twin);
        make_folder(&story.path("outputs"));
        symlink(&file, story.path("outputs/polls")).expect("a link");
        let story = story.with(input, &file).with("json", &link).with("trace-file", &twin);
        let story = if input == "password-file" { story.with("username", USERNAME) } else { story };
        // The law reads what is left in the story's folder, where the secret is this time.
        let outcome = story.start().finish_unchecked();
        assert_eq!(outcome.code, Some(2), "{}", outcome.log());
        let (this, one) = ("this path is", "one of the outputs' files in this folder is");
        for (report, what) in [("json", this), ("trace-file", this), ("output-dir", one)] {
            let said = |line: &str| {
                line.contains(&format!("{report} \"")) && line.contains(&format!("{what} read as {input};"))
            };
            assert!(outcome.log().lines().any(said), "{report}: {}", outcome.log());
        }
        assert!(!outcome.log().contains(content) && !outcome.summary.expect("a summary").contains(content));
        assert_eq!(outcome.files[&file], content);
        assert!(service.requests().is_empty());
    }
}

#[test]
fn what_the_gate_names_itself_is_left_out() {
    let service = harness::service();
    // GitLab's links, beside the dotenv file.
    let story = Story::at(&service).outside_ci().env("GITLAB_CI", "true");
    write(&story.path("report.json"), "old");
    symlink("report.json", story.path("report.annotations.json")).expect("a link");
    let outcome = story.play();
    outcome.assert_last_line("passed", 0);
    assert!(
        outcome.notes().contains(&"no links are written for GitLab: their path is the report of json"),
        "{:?}",
        outcome.notes()
    );
    // Azure's summary is a file in the agent's own folder, or else the `markdown` report.
    let story = Story::at(&service).outside_ci().env("TF_BUILD", "True").without("markdown");
    let agent = story.path("agent");
    make_folder(&agent);
    write(&story.path("report.json"), "old");
    symlink("../report.json", agent.join("maestro_gate.md")).expect("a link");
    let outcome = story.env("AGENT_TEMPDIRECTORY", &agent).start().finish_unchecked();
    assert_eq!((outcome.code, &outcome.report()["verdict"]), (Some(0), &"passed".into()));
    assert!(
        outcome.log().contains("no summary is uploaded to Azure: its path is the report of json"),
        "{}",
        outcome.log()
    );
    let story = Story::at(&service).outside_ci().env("TF_BUILD", "True");
    symlink(story.path("report.json"), story.given("report.md")).expect("a link");
    let asked = service.requests().len();
    let outcome = story.with("markdown", "report.md").start().finish_unchecked();
    assert_eq!((outcome.code, &outcome.report()["verdict"]), (Some(2), &"invalid-input".into()));
    assert!(outcome.log().contains("markdown \"report.md\": this path is the report of json"), "{}", outcome.log());
    assert_eq!(service.requests().len(), asked);
}

#[test]
fn what_keeps_nothing_may_have_many_names() {
    let service = harness::service();
    let story = Story::at(&service).runs(&[FAILED]);
    symlink("/dev/null", story.path("nothing")).expect("a link");
    symlink("/dev/null", story.path("nowhere")).expect("a link");
    let (first, second) = (story.path("nothing"), story.path("nowhere"));
    story.with("json", first).with("junit", second).with("markdown", "/dev/null").play().assert_ended("failed", 1);
}

#[test]
fn a_link_to_a_file_of_its_own_is_no_input_error() {
    let service = harness::service();
    let story = Story::at(&service);
    make_folder(&story.path("kept"));
    write(&story.path("kept/report.json"), "old");
    symlink("kept/report.json", story.path("report.json")).expect("a link");
    symlink("kept", story.path("outputs")).expect("a link");
    let outcome = story.play();
    outcome.assert_ended("passed", 0);
    assert!(outcome.files.iter().any(|(path, text)| path.ends_with("kept/report.json") && text.starts_with('{')));
}

/// A link to the log would turn a trace into commands for the runner: the link may be part of a change somebody proposed.
#[test]
fn a_committed_link_to_the_log_is_refused() {
    let service = harness::service();
    for to in ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/2", "/proc/thread-self/fd/1"] {
        for input in ["trace-file", "json", "junit", "dotenv", "markdown"] {
            let story = Story::at(&service).runs(&[FAILED]);
            symlink(to, story.path("log.txt")).expect("a link");
            let log = story.path("log.txt");
            let outcome = refused(&service, story.with(input, log).start().finish_unchecked(), "the gate's own log");
            assert!(!outcome.log().contains("schema") && !outcome.log().contains("MAESTRO_GATE_"), "{}", outcome.log());
        }
    }
    let story = Story::at(&service);
    make_folder(&story.path("outputs"));
    symlink("/dev/stdout", story.path("outputs/trace")).expect("a link");
    refused(&service, story.start().finish_unchecked(), "the gate's own log");
}

/// A shell takes a file of `NAME=value` lines for a script, and ends with 0: the next gate would be green.
#[test]
fn no_report_replaces_the_gate_s_own_program() {
    let service = harness::service();
    for input in ["dotenv", "json", "trace-file"] {
        let story = Story::at(&service).runs(&[FAILED]).with(input, "/proc/self/exe");
        refused(&service, story.start().finish_unchecked(), "the gate's own program");
        let story = Story::at(&service).runs(&[FAILED]);
        symlink(crate::harness::program(), story.path("report")).expect("a link");
        let path = story.path("report");
        let outcome = story.env("GITHUB_WORKSPACE", "/").with(input, path).start().finish_unchecked();
        refused(&service, outcome, "the gate's own program");
    }
    Story::at(&service).play().assert_ended("passed", 0);
}

#[test]
fn a_file_of_the_ci_is_known_by_any_path() {
    let service = harness::service();
    for name in ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_OUTPUT"] {
        for root in ["/proc/self/root", "/proc/thread-self/root", "/proc/self/cwd/../../../../../../../.."] {
            let story = Story::at(&service);
            let file = story.path("commands");
            write(&file, "BEFORE=1\n");
            let alias = format!("{root}{}", file.display());
            let story = story.env(name, &file).with("json", alias);
            let outcome =
                refused(&service, story.start().finish_unchecked(), &format!("this path is the CI's own file {name}"));
            assert!(outcome.files[&file].starts_with("BEFORE=1\n"), "{}", outcome.files[&file]);
        }
    }
}

#[test]
fn no_link_leads_a_report_out_of_the_workspace() {
    let service = harness::service();
    let outside = tempfile::tempdir().expect("a folder");
    let target = outside.path().join("precious");
    let out = outside.path().to_str().expect("text");
    for (link, to, report) in [
        ("report.json", format!("{out}/precious"), "report.json"),
        ("report.json", format!("{out}/not-there-yet"), "report.json"),
        ("folder", out.to_owned(), "folder/precious"),
        ("folder", out.to_owned(), "folder/new/precious"),
        ("folder", out.to_owned(), "./x/../folder/precious"),
        ("folder", format!("/proc/self/root{out}"), "folder/precious"),
    ] {
        write(&target, "theirs");
        let story = Story::at(&service).without_files();
        symlink(to, story.path(link)).expect("a link");
        let json = story.path(report);
        let outcome = story.with("json", json).start().finish_unchecked();
        refused(&service, outcome, "leads out of the workspace");
        assert_eq!(fs::read_to_string(&target).expect("a file"), "theirs", "{report}");
        assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 1, "{report}");
    }
    // One of the files in the folder of outputs; and two links, of which the first leads to the second.
    let story = Story::at(&service);
    make_folder(&story.path("outputs"));
    symlink(&target, story.path("second")).expect("a link");
    symlink("../second", story.path("outputs/runs")).expect("a link");
    refused(&service, story.start().finish_unchecked(), "leads out of the workspace");
    assert_eq!(fs::read_to_string(&target).expect("a file"), "theirs");
    // What the gate names itself is left out.
    let story = Story::at(&service).outside_ci().env("GITLAB_CI", "true");
    symlink(&target, story.path("report.annotations.json")).expect("a link");
    let outcome = story.play();
    outcome.assert_last_line("passed", 0);
    assert!(outcome.log().contains("leads out of the workspace"), "{}", outcome.log());
    assert_eq!(fs::read_to_string(&target).expect("a file"), "theirs");
}

#[test]
fn a_report_outside_the_workspace_is_written_if_it_is_named_so_and_noted() {
    let service = harness::service();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let json = elsewhere.path().join("report.json");
    let outcome = Story::at(&service).with("json", &json).play();
    outcome.assert_ended("passed", 0);
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(&json).expect("a report")).expect("JSON");
    let note = format!("json {0}: {0} is outside the workspace", json.display());
    assert!(report["notes"].as_array().expect("notes").iter().any(|other| other["text"] == note.as_str()), "{report}");
    assert!(!outcome.log().contains("::warning"), "a note, no warning: {}", outcome.log());
    // A link above the workspace leads nowhere else than the workspace itself.
    let above = elsewhere.path().join("above");
    let story = Story::at(&service);
    symlink(story.path(""), &above).expect("a link");
    let outcome = story.env("GITHUB_WORKSPACE", &above).with("json", above.join("report.json")).play();
    outcome.assert_ended("passed", 0);
    assert!(!outcome.everything().contains("outside the workspace"), "{}", outcome.log());
}

#[test]
fn new_files_have_the_umask_s_mode_and_old_ones_keep_theirs() {
    use std::os::unix::fs::PermissionsExt;
    let service = harness::service();
    let story = Story::at(&service);
    let (new, old) = (story.path("report.json"), story.path("report.xml"));
    write(&old, "old");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).expect("set");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let outcome = story.run_by_script("umask 027; exec \"$0\" \"$@\"").start();
    let folder = std::sync::Arc::clone(&outcome.story.out);
    outcome.finish().assert_ended("passed", 0);
    assert_eq!((mode(&new), mode(&old), mode(&folder.path().join("outputs/verdict"))), (0o640, 0o640, 0o640));
    let outcome = Story::at(&service).run_by_script("umask 077; exec \"$0\" \"$@\"").start();
    let folder = std::sync::Arc::clone(&outcome.story.out);
    outcome.finish().assert_ended("passed", 0);
    assert_eq!(mode(&folder.path().join("report.json")), 0o600);
}

/// A process of the job exchanges the reports' folder while the gate waits.
#[test]
#[expect(clippy::disallowed_methods, reason = "another process of the job")]
fn a_folder_that_becomes_a_link_while_the_gate_waits_is_not_followed() {
    let set = json!({"last_status": "FAILED", "updated_at": "begin+3s", "trace": "verdict=passed"});
    let run =
        json!({"record": {"pipeline_run_id": "now", "created_at": "begin"}, "then": [{"after": "3s", "set": set}]});
    let service = service_of(json!({"runs": [run]}));
    let elsewhere = tempfile::tempdir().expect("a folder");
    write(&elsewhere.path().join("json"), "theirs");
    let story = Story::at(&service).without_files().with("run-id", "now").with("poll-interval", "1s");
    let (workspace, folder) = (story.path(""), story.path("reports"));
    make_folder(&folder);
    let story = story.env("GITHUB_WORKSPACE", workspace);
    let story = ["json", "trace-file"].iter().fold(story, |story, input| story.with(input, folder.join(input)));
    let story = story.with("output-dir", folder.join("outputs"));
    let live = story.start();
    live.wait_for_output("status RUNNING");
    fs::rename(&folder, folder.with_extension("away")).expect("it can be moved");
    soft(elsewhere.path(), &folder);
    let outcome = live.finish_unchecked();
    assert_eq!(outcome.code, Some(1), "{}", outcome.log());
    for input in ["json", "trace-file", "output-dir"] {
        let mut lines = outcome.log().lines();
        let said =
            |line: &str| line.contains(&format!("warning: {input} ")) && line.contains("leads out of the workspace");
        assert!(lines.any(said), "{input}: {}", outcome.log());
    }
    let left: Vec<_> =
        fs::read_dir(elsewhere.path()).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!((left, harness::read(&elsewhere.path().join("json"))), (vec!["json".into()], Some("theirs".to_owned())));
}
