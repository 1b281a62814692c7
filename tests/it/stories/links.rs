//! One file under two names, which only the file system knows of: as much a mistake as the same path twice.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::harness::{self, FAILED, PASSWORD, Story, Told, USERNAME, make_folder, write};
use crate::stand_in::Service;

/// Refused before any request, for this reason.
fn refused(service: &Service, told: Told, says: &str) -> Told {
    assert_eq!(told.code, Some(2), "{says}: {}", told.log());
    assert!(told.log().contains(says), "{says}: {}", told.log());
    assert!(service.requests().is_empty(), "{says}");
    told
}

fn soft(to: &Path, from: &Path) {
    symlink(to, from).expect("a link");
}

/// A hard link.
fn twin(to: &Path, from: &Path) {
    fs::hard_link(to, from).expect("a link");
}

#[test]
fn a_report_that_leads_to_another_report_is_a_mistake_whether_that_is_there_or_not() {
    let service = harness::service();
    for old in [None, Some("old")] {
        let story = Story::at(&service);
        old.inspect(|text| write(&story.path("report.json"), text));
        // A link to a link, and beside the file that it means.
        symlink("other.xml", story.path("report.xml")).expect("a link");
        symlink("report.json", story.path("other.xml")).expect("a link");
        let told =
            refused(&service, story.told(), "report.xml\": this path is the report of json; another one is needed");
        assert_eq!(told.verdict(), "invalid-input");
        assert!(told.files.iter().any(|(path, text)| path.ends_with("report.json") && text.starts_with('{')));
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
        let told = refused(
            &service,
            story.with("json", first).with("junit", second).told(),
            "this path is the report of json",
        );
        assert!(told.files.iter().any(|(path, text)| path.ends_with("real/new/x") && text.starts_with('{')));
    }
    let story = Story::at(&service);
    make_folder(&story.path("real"));
    symlink("real", story.path("outputs")).expect("a link");
    let json = story.path("real/verdict");
    let told = story.with("json", json).begun().unheld();
    refused(&service, told, "one of the outputs' files in this folder is the report of json");
    let story = Story::at(&service);
    make_folder(&story.path("outputs"));
    symlink("../report.json", story.path("outputs/verdict")).expect("a link");
    refused(&service, story.begun().unheld(), "one of the outputs' files in this folder is the report of json");
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
            let told = refused(
                &service,
                story.env(name, &file).begun().unheld(),
                &format!("this path is the CI's own file {name}"),
            );
            let left = told.files.iter().find(|(path, _)| path.ends_with("commands")).map(|(_, text)| text.as_str());
            assert!(left.is_some_and(|text| text.starts_with("BEFORE=1\n")), "{left:?}");
        }
    }
}

#[test]
fn a_file_that_is_read_is_not_written_over() {
    let service = harness::service();
    for (input, content) in [("password-file", PASSWORD), ("access-token-file", "a-token-made-elsewhere")] {
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
        let told = story.begun().unheld();
        assert_eq!(told.code, Some(2), "{}", told.log());
        let (this, one) = ("this path is", "one of the outputs' files in this folder is");
        for (report, what) in [("json", this), ("trace-file", this), ("output-dir", one)] {
            let said = |line: &str| {
                line.contains(&format!("{report} \"")) && line.contains(&format!("{what} read as {input};"))
            };
            assert!(told.log().lines().any(said), "{report}: {}", told.log());
        }
        assert!(!told.log().contains(content) && !told.summary.expect("a summary").contains(content));
        assert_eq!(told.files[&file], content);
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
    let told = story.told();
    told.ended_by_its_last_line("passed", 0);
    assert!(
        told.notes().contains(&"no links are written for GitLab: their path is the report of json"),
        "{:?}",
        told.notes()
    );
    // Azure's summary is a file in the agent's own folder, or else the `markdown` report.
    let story = Story::at(&service).outside_ci().env("TF_BUILD", "True").without("markdown");
    let agent = story.path("agent");
    make_folder(&agent);
    write(&story.path("report.json"), "old");
    symlink("../report.json", agent.join("maestro_gate.md")).expect("a link");
    let told = story.env("AGENT_TEMPDIRECTORY", &agent).begun().unheld();
    assert_eq!((told.code, &told.report()["verdict"]), (Some(0), &"passed".into()));
    assert!(told.log().contains("no summary is uploaded to Azure: its path is the report of json"), "{}", told.log());
    let story = Story::at(&service).outside_ci().env("TF_BUILD", "True");
    symlink(story.path("report.json"), story.given("report.md")).expect("a link");
    let asked = service.requests().len();
    let told = story.with("markdown", "report.md").begun().unheld();
    assert_eq!((told.code, &told.report()["verdict"]), (Some(2), &"invalid-input".into()));
    assert!(told.log().contains("markdown \"report.md\": this path is the report of json"), "{}", told.log());
    assert_eq!(service.requests().len(), asked);
}

#[test]
fn what_keeps_nothing_may_have_many_names() {
    let service = harness::service();
    let story = Story::at(&service).runs(&[FAILED]);
    symlink("/dev/null", story.path("nothing")).expect("a link");
    symlink("/dev/null", story.path("nowhere")).expect("a link");
    let (first, second) = (story.path("nothing"), story.path("nowhere"));
    story.with("json", first).with("junit", second).with("markdown", "/dev/null").told().ended("failed", 1);
    let told = Story::at(&service).runs(&[FAILED]).with("json", "/dev/stdout").with("dotenv", "/dev/fd/1").told();
    told.ended("failed", 1);
    assert!(told.log().contains("\"schema\": 1") && told.log().contains("MAESTRO_GATE_EXIT_CODE=1"));
}

#[test]
fn a_link_to_a_file_of_its_own_is_no_mistake() {
    let service = harness::service();
    let story = Story::at(&service);
    make_folder(&story.path("kept"));
    write(&story.path("kept/report.json"), "old");
    symlink("kept/report.json", story.path("report.json")).expect("a link");
    symlink("kept", story.path("outputs")).expect("a link");
    let told = story.told();
    told.ended("passed", 0);
    assert!(told.files.iter().any(|(path, text)| path.ends_with("kept/report.json") && text.starts_with('{')));
}
