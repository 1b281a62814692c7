//! `retries`: a pipeline is started again after a proven failure of our own run, and after nothing else.

use maestro_gate::core::{Attempt, FailureKind, Meaning, NoRetry, Operation, RunOutcome, Verdict};
use maestro_gate::report::messages;
use serde_json::{Value, json};

use crate::fixture::{self, failure, run, seconds, seen, target};
use crate::harness::{PIPELINE, StoryOutcome, in_parallel};
use crate::stand_in::{On, Reply, Scenario, Service};
use crate::triggers::{ends, trigger, with};

/// A service whose executions end so, one after the other; the answer to a start names the run, or does not.
fn service(words: &[&str], is_named: bool) -> Service {
    let executions: Vec<Value> = words.iter().map(|word| ends(word, "1s")[0].clone()).collect();
    with(json!({"executions": executions, "shares_run_id": is_named}))
}

fn starts(service: &Service) -> usize {
    service.requests_to(On::Execute).len()
}

/// The verdict of each row, with its attempt and whether another one followed.
fn rows(outcome: &StoryOutcome) -> Vec<(String, u64, bool)> {
    let row = |run: &Value| {
        let verdict = run["verdict"].as_str().expect("a word").to_owned();
        (verdict, run["attempt"].as_u64().expect("a number"), run["retried"].as_bool().expect("yes or no"))
    };
    outcome.report()["runs"].as_array().expect("a list").iter().map(row).collect()
}

#[test]
fn a_pipeline_is_started_again_after_a_proven_failure_and_the_last_attempt_decides() {
    type Row = (&'static str, &'static [&'static str], bool, &'static str, usize, &'static str, i32);
    let table: [Row; 7] = [
        ("fails once", &["FAILED", "SUCCESS"], true, "1", 2, "passed", 0),
        ("fails once, and no id is told", &["FAILED", "SUCCESS"], false, "1", 2, "passed", 0),
        ("fails twice", &["FAILED", "FAILED", "SUCCESS"], true, "2", 3, "passed", 0),
        ("fails too often", &["FAILED", "FAILED", "SUCCESS"], true, "1", 2, "failed", 1),
        ("is cancelled at last", &["FAILED", "CANCELLED", "SUCCESS"], true, "5", 2, "failed", 1),
        ("passes at once", &["SUCCESS", "FAILED"], true, "5", 1, "passed", 0),
        ("is not to be retried", &["FAILED", "SUCCESS"], true, "0", 1, "failed", 1),
    ];
    in_parallel(
        &table,
        |row| row.0.to_owned(),
        |(_, words, is_named, retries, made, verdict, code)| {
            let service = service(words, *is_named);
            let outcome = trigger(&service).with("retries", *retries).play();
            outcome.assert_ended(verdict, *code);
            assert_eq!(starts(&service), *made);
            if *retries != "0" {
                let rows = rows(&outcome);
                assert_eq!(rows.len(), *made, "{rows:?}");
                for (number, row) in (1..).zip(&rows) {
                    let is_last = usize::try_from(number).expect("small") == *made;
                    let verdict = if is_last { verdict } else { "failed" };
                    assert_eq!(*row, (verdict.to_owned(), number, !is_last));
                }
            }
        },
    );
}

#[test]
fn whatever_is_doubtful_is_started_once() {
    // A run that somebody else has started.
    let other = json!([{"record": {"pipeline_run_id": "cron"}, "then": []}]);
    let cases = ["cancelled", "lost after the start", "refused", "no time", "another run", "attached"];
    in_parallel(
        &cases,
        |case| (*case).to_owned(),
        |case| {
            let words: &[&str] = if *case == "cancelled" { &["KILLED", "SUCCESS"] } else { &["FAILED", "SUCCESS"] };
            let executions: Vec<Value> = words.iter().map(|word| ends(word, "3s")[0].clone()).collect();
            let runs = if *case == "attached" { other.clone() } else { json!([]) };
            let service = with(json!({"executions": executions, "shares_run_id": true, "runs": runs}));
            let mut story = trigger(&service).with("retries", "3");
            let (verdict, code, why, made) = match *case {
                "cancelled" => ("failed", 1, "only a run whose status is FAILED is retried", 1),
                "lost after the start" => {
                    service.order(On::Execute, Reply::reset());
                    ("failed", 1, "there is no proof that the gate started this run", 1)
                }
                "refused" => {
                    service.order(On::Execute, Reply::status(400));
                    ("not-started", 8, "", 1)
                }
                "no time" => {
                    story = story.with("timeout", "6s");
                    ("failed", 1, "until timeout, and it would take", 1)
                }
                "another run" => {
                    let id = "11111111_1111_1111_1111_111111111111";
                    let record = |id: &str, word: &str| {
                        json!({"id": 7, "pipeline_run_id": id, "pipeline_id": PIPELINE, "last_status": word,
                            "created_at": "2099-01-01T00:00:00.000Z", "updated_at": "2099-01-01T00:00:01.000Z", "trace": null})
                    };
                    let told = json!({"status": true, "data": {"run_id": id, "pipeline_id": PIPELINE}});
                    service.order(On::Execute, Reply::json(200, told));
                    service.order(On::Run, Reply::json(200, record(id, "FAILED")));
                    service.order(On::Runs, Reply::normal());
                    let list = json!([record("cron", "RUNNING"), record(id, "FAILED")]);
                    service.order(On::Runs, Reply::json(200, list));
                    ("failed", 1, "the pipeline has another run, cron", 1)
                }
                "attached" => {
                    service.order(On::Run, Reply::run("FAILED"));
                    story = story.with("if-running", "attach");
                    ("failed", 1, "the gate did not start this run", 0)
                }
                other => panic!("{other}"),
            };
            let outcome = story.play();
            outcome.assert_ended(verdict, code);
            assert_eq!(starts(&service), made);
            assert!(why.is_empty() || outcome.is_noted(why), "{:?}", outcome.notes());
            assert!(rows(&outcome).iter().all(|(_, attempt, is_retried)| *attempt == 1 && !is_retried));
        },
    );
}

#[test]
fn sigterm_between_attempts_starts_nothing() {
    let service = service(&["FAILED", "SUCCESS"], false);
    // No id is told, so that the gate waits before it starts the pipeline again.
    let gate = trigger(&service).with("retries", "1").with("appear-timeout", "1h").with("timeout", "2h").start();
    gate.wait_for_output("the pipeline is started again if no other run appears within 1h");
    gate.signal("TERM");
    let outcome = gate.finish();
    outcome.assert_ended("interrupted", 143);
    assert_eq!((starts(&service), rows(&outcome)), (1, vec![("interrupted".to_owned(), 1, false)]));
    assert!(outcome.log().contains("failed, and was not started again when SIGTERM"), "{}", outcome.log());
}

#[test]
fn each_attempt_is_a_row_in_every_report() {
    let service = service(&["FAILED", "SUCCESS"], true);
    let outcome = trigger(&service).with("retries", "2").play();
    outcome.assert_ended("passed", 0);
    let runs = outcome.report()["runs"].as_array().expect("a list");
    let ids: Vec<&str> = runs.iter().map(|run| run["run_id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    // The outputs about one run are about the last attempt; the list has both.
    assert_eq!((outcome.output("run-id"), outcome.output("status")), (ids[1], "SUCCESS"));
    assert_eq!(outcome.output("runs").matches("\"attempt\":").count(), 2);
    // In JUnit the case of the pipeline's own name is that of the last attempt.
    let cases = outcome.junit.as_ref().expect("a report");
    let names: Vec<(&str, Option<&str>)> =
        cases.iter().map(|case| (case.name.as_str(), case.end.as_ref().map(|(tag, ..)| tag.as_str()))).collect();
    let pipeline = runs[0]["pipeline_id"].as_str().expect("an id");
    assert_eq!(names, [(&*format!("{pipeline} attempt 1"), Some("skipped")), (pipeline, None)]);
    let page = outcome.markdown.as_ref().expect("a page");
    for attempt in ["❌ failed<br>attempt 1 of 3", "✅ passed<br>attempt 2 of 3"] {
        assert!(page.contains(attempt), "{page}");
    }
    for line in ["attempt 1 of 3 failed; starting the pipeline again (attempt 2)", "(attempt 1 of 3): status FAILED"] {
        assert!(outcome.log().contains(line), "{}", outcome.log());
    }
    let last = outcome.log().lines().next_back().expect("a line");
    assert!(last.contains(ids[1]) && last.contains("(attempt 2 of 3) succeeded"), "{last}");
}

#[test]
fn the_scenario_that_comes_along_passes_with_the_second_attempt() {
    let service = Service::start(Scenario::ready("retried").expect("it is ready"));
    let outcome = trigger(&service).with("retries", "1").play();
    outcome.assert_ended("passed", 0);
    assert_eq!(rows(&outcome), [("failed".to_owned(), 1, true), ("passed".to_owned(), 2, false)]);
}

#[test]
fn a_report_says_why_a_failed_run_was_not_started_again() {
    let other = |id| NoRetry::OtherRun(id);
    let unread = failure(Operation::List, FailureKind::Http(502), "");
    let reasons = [
        (NoRetry::Attached, "the gate did not start this run"),
        (NoRetry::Unproven, "there is no proof that the gate started this run"),
        (NoRetry::NotPlainlyFailed, "only a run whose status is FAILED is retried"),
        (
            NoRetry::NoTime { left: seconds(90), needed: seconds(300) },
            "1m 30s are left until timeout, and it would take 5m",
        ),
        (other(None), "the pipeline has another run"),
        (other(Some(target("p", "cron|x").run)), "the pipeline has another run, cron|x"),
        (NoRetry::NoList(None), "the pipeline's runs could not be read"),
        (
            NoRetry::NoList(Some(unread)),
            "the pipeline's runs are not known: read the pipeline's runs: the service answered 502",
        ),
        (NoRetry::FailFast, "another run did not pass, and fail-fast is set"),
    ];
    let attempt = Some(Attempt { number: 2, of: 3 });
    let failed = RunOutcome {
        started: true,
        attempt,
        ..run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, None)), None)
    };
    for (why, words) in reasons {
        let outcome = RunOutcome { no_retry: Some(why), ..failed.clone() };
        let explained = messages::explanation(&outcome, None, seconds(3), &fixture::sanitizer());
        assert!(explained.reason.ends_with(&format!("; not started again: {words}")), "{explained:?}");
        assert!(explained.next_step.contains("re-run this job, which starts a new run"), "{explained:?}");
    }
    // Of an attempt that another one followed there is nothing to do.
    let retried =
        messages::explanation(&RunOutcome { is_retried: true, ..failed }, None, seconds(3), &fixture::sanitizer());
    assert!(
        retried.reason.ends_with("; the pipeline was started again") && retried.next_step.is_empty(),
        "{retried:?}"
    );
}
