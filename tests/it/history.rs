//! What the gate learns from a pipeline's past, by the real binary over real sockets: one request, never a verdict.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use maestro_gate::core::{
    Answer, ApiRequest, Effect, FailureKind, Forecast, Gate, History, Learning, Limits, ListedRun, Meaning,
    Observation, Operation, PastRun, Rules, RunList, Streak, Untrusted, Vocabulary, Wanted,
};
use maestro_gate::report::messages::{self, RunNames};
use maestro_gate::report::previous_runs::{LastSuccess, RunHistory};
use maestro_gate::report::sanitize::Sanitized;
use serde_json::{Value, json};

use crate::fixture::{self, failure, seconds};
use crate::harness::{PIPELINE, Story, TRACE, in_parallel, scenario, service_of};
use crate::stand_in::{Gzip, On, Reply, Service};

/// A run that is going for its first three polls, behind a past of these ends, oldest first, an hour apart, about ten minutes each.
fn with(ends: &str, last: &str) -> Service {
    let count = ends.len();
    let past = ends.chars().enumerate().map(|(n, end)| {
        let ago = 60 * (count - n);
        let passed = end == 'S';
        json!({"record": {
            "pipeline_run_id": format!("past_{n}"),
            "last_status": if passed { "SUCCESS" } else { "FAILED" },
            "created_at": format!("now-{ago}m"),
            "updated_at": format!("now-{}m", ago - 9 - n % 3),
            "trace": if passed { Value::Null } else { format!("[run {n}] {TRACE}").into() },
        }})
    });
    let set = json!({"last_status": last, "updated_at": "begin+3s", "trace": format!("[run 99] {TRACE}")});
    let now = json!({"record": {"pipeline_run_id": "now", "created_at": "begin"}, "then": [{"looks": 3, "set": set}]});
    let runs: Vec<Value> = past.chain([now]).collect();
    service_of(json!({"runs": runs}))
}

fn waiting(service: &Service) -> Story<'_> {
    Story::at(service).with("run-id", "now").with("poll-interval", "1s")
}

fn lists(service: &Service) -> usize {
    service.requests_to(On::Runs).len()
}

#[test]
fn the_past_is_asked_for_once_and_only_while_the_run_is_running() {
    let service = with("SSSSSSSS", "SUCCESS");
    let outcome = waiting(&service).play();
    outcome.assert_ended("passed", 0);
    assert_eq!(lists(&service), 1);
    let order = service.requests().into_iter().map(|seen| seen.on);
    // Details come beside the polls, at any time.
    let order: Vec<On> = order.filter(|on| *on != On::Pipeline).collect();
    // After the first poll; whether before or behind the second, which comes at the same time.
    assert_eq!(order[..2], [On::SignIn, On::Run]);
    assert!(order[2..4].contains(&On::Runs), "{order:?}");
    outcome.assert_noted("8 of the last 8 runs passed, usually in 10m");
    // A run that is over at the first poll, looking once, and without leave: none.
    type Row = (&'static str, &'static str, &'static str, usize);
    let rows: [Row; 4] = [
        ("run-id", "past_3", "passed", 0),
        ("timeout", "0", "timed-out", 0),
        ("history", "false", "passed", 0),
        // The list from which a run is chosen has the previous runs as well.
        ("run-id", "latest", "passed", 1),
    ];
    in_parallel(
        &rows,
        |row| format!("{} {}", row.0, row.1),
        |(input, value, verdict, asked)| {
            let service = with("SSSSSSSS", "SUCCESS");
            let outcome = waiting(&service).with("max-age", "any").with(input, value).play();
            assert_eq!(outcome.output("verdict"), *verdict);
            assert_eq!(lists(&service), *asked, "{input} {value}");
        },
    );
}

#[test]
fn a_past_that_can_not_be_had_is_a_note_and_never_a_verdict() {
    let rows: [(&str, Reply); 11] = [
        ("503", Reply::status(503).forever()),
        ("503 with Retry-After", Reply::status(503).retry_after(3600).forever()),
        ("403", Reply::status(403).forever()),
        ("401", Reply::status(401).forever()),
        ("404", Reply::status(404).forever()),
        ("400", Reply::status(400).forever()),
        ("garbage", Reply::html(200).forever()),
        ("a reset", Reply::reset().forever()),
        ("a redirect elsewhere", Reply::redirect(302, "http://127.0.0.1:9/x").forever()),
        ("too much", Reply::normal().append("x").endless().gzip(Gzip::Right).forever()),
        ("no answer", Reply::normal().delay(Duration::from_secs(60)).forever()),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(name, reply)| {
            let service = with("SSSSSSSS", "SUCCESS");
            service.order(On::Runs, reply.clone());
            let outcome = waiting(&service).play();
            outcome.assert_ended("passed", 0);
            assert!(outcome.report()["waited_seconds"].as_u64() < Some(30), "{}", outcome.log());
            let noted = outcome.notes().iter().filter(|note| note.contains("no history of previous runs")).count();
            // An answer that does not come is given up after five seconds, if the run is still going by then.
            assert!(noted == 1 || *name == "no answer" && noted == 0, "{:?}", outcome.notes());
            assert_eq!(service.requests_to(On::SignIn).len(), 1, "no session is renewed for it");
            assert_eq!((lists(&service), outcome.report()["pipelines"].clone()), (1, json!([])));
        },
    );
}

/// No run is chosen from it.
#[test]
fn one_page_of_a_list_is_past_enough() {
    let service = with("SSSSSSSS", "SUCCESS");
    let page = Reply::normal().header("link", "</runs?page=2>; rel=next").header("x-total-count", "300");
    service.order(On::Runs, page.forever());
    let outcome = waiting(&service).play();
    outcome.assert_ended("passed", 0);
    outcome.assert_noted("8 of the last 8 runs passed");
}

#[test]
fn a_failure_is_reported_with_its_row_the_last_success_and_whether_the_trace_is_the_same() {
    let service = with("SSSSSSFF", "FAILED");
    let github = waiting(&service).env("GITHUB_SERVER_URL", "https://github.com").play();
    github.assert_ended("failed", 1);
    let last = "third failure in a row; last success 2h 50m ago (run past_5); same trace as the last failure";
    assert!(github.log().contains(&format!("this run: {last}")), "{}", github.log());
    assert!(github.log().contains("history: "), "{}", github.log());
    let summary = github.summary.as_ref().expect("a summary");
    assert!(summary.contains("Third failure in a row") && summary.contains("```mermaid\n"), "{summary}");
    let history = &github.report()["runs"][0]["history"];
    assert_eq!((&history["in_a_row"], &history["same_trace_as_last_failure"]), (&json!(3), &json!(true)));
    assert_eq!((&history["last_success_run_id"], &history["earlier_runs"]), (&json!("past_5"), &json!(8)));
    let pipeline = &github.report()["pipelines"][0];
    assert_eq!(
        (&pipeline["runs"], &pipeline["passed"], &pipeline["usual_seconds"]),
        (&json!(8), &json!(6), &json!(600))
    );
    assert_eq!(pipeline["last"].as_array().expect("runs").len(), 8);
    // Where nobody draws charts, there is none.
    let service = with("SSSSSSFF", "FAILED");
    let elsewhere = waiting(&service).env("GITHUB_SERVER_URL", "https://git.example.com").play();
    let summary = elsewhere.summary.as_ref().expect("a summary");
    assert!(!summary.contains("mermaid") && summary.contains("✗✗ ▸✗`"), "{summary}");
    // Who is to be quiet hears the verdict alone.
    let quiet = waiting(&with("SSSSSSFF", "FAILED")).with("quiet", "true").play();
    assert!(!quiet.log().contains("history:") && !quiet.log().contains("in a row"), "{}", quiet.log());
}

#[test]
fn a_hostile_past_yields_nothing() {
    let hostile = "a\u{1b}[2K::error::x##vso[task.complete]|`<img>";
    let record = |n: u32, status: &str| {
        json!({"id": n, "pipeline_id": PIPELINE, "pipeline_run_id": format!("{hostile}{n}"), "last_status": status,
            "created_at": format!("2024-01-0{n}T06:00:00Z"), "updated_at": format!("2024-01-0{n}T06:10:00Z"),
            "trace": "::error::x\n```\n"})
    };
    let raw =
        json!([record(1, "SUCCESS"), record(2, "FAILED"), record(3, "::error::y"), null, 7, {"pipeline_id": PIPELINE}]);
    let set = json!({"last_status": "FAILED", "updated_at": "begin+2s", "trace": "::error::x\n"});
    let run = json!({"record": {"pipeline_run_id": "now", "created_at": "begin"}, "then": [{"looks": 2, "set": set}]});
    let service = service_of(json!({"list": {"raw": raw}, "runs": [run]}));
    let outcome = waiting(&service).play();
    outcome.assert_ended("failed", 1);
    assert!(outcome.log().contains("second failure in a row"), "{}", outcome.log());
}

#[test]
fn many_runs_of_a_pipeline_share_its_list() {
    let then = |n: u32| {
        let set = json!({"last_status": if n == 7 { "FAILED" } else { "SUCCESS" }, "updated_at": "begin+5s"});
        json!([{"after": "5s", "set": set}])
    };
    let runs: Vec<Value> = (0..24)
        .map(|n| json!({"record": {"pipeline_run_id": format!("r{n}"), "created_at": "begin"}, "then": then(n)}))
        .collect();
    let pipelines = json!({"pipelines": [{"pipeline_id": PIPELINE, "runs": runs}]});
    let ids: Vec<String> = (0..24).map(|n| format!("r{n}")).collect();
    let count = |history: &str| {
        let service = Service::start(scenario(pipelines.clone()));
        let story = Story::at(&service).with("run-id", ids.join(",")).with("poll-interval", "1s");
        let outcome = story.with("history", history).play();
        outcome.assert_ended("failed", 1);
        assert_eq!(outcome.verdicts().iter().filter(|verdict| **verdict == "failed").count(), 1);
        lists(&service)
    };
    // How much that saves is a claim of the core, where no machine is too slow for it (`src/core/monitor/tests/shared_lists.rs`).
    let (alone, shared) = std::thread::scope(|scope| {
        let alone = scope.spawn(|| count("false"));
        let shared = count("true");
        (alone.join().expect("a story"), shared)
    });
    assert!(shared >= 1 && alone == 0, "{shared} and {alone} lists");
}

#[test]
fn a_length_is_said_as_a_person_would() {
    for (length, said) in [
        (0, "a few seconds"),
        (7, "5s"),
        (52, "50s"),
        (55, "1m"),
        (89, "1m"),
        (90, "2m"),
        (725, "12m"),
        (3_569, "59m"),
        (3_570, "1h"),
        (4_800, "1h 20m"),
        (84_599, "23h 30m"),
        (84_600, "1d"),
        (180_000, "2d 2h"),
        (90 * 86_400, "90d"),
    ] {
        assert_eq!(messages::about(Duration::from_secs(length)), said, "{length}");
    }
    assert!(messages::about(Duration::MAX).ends_with('d'));
}

#[test]
fn while_it_waits_the_gate_says_how_much_is_left_and_when_it_is_overdue() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let past: Vec<PastRun> =
        (0..20).map(|n| PastRun { duration: minutes(12) + Duration::from_secs(n * 3), passed: true }).collect();
    let forecast = Forecast::new(&past, Duration::ZERO, 7).expect("a forecast");
    assert_eq!(messages::eta(&forecast, minutes(4)), "usually 12m, about 8m left");
    let slower = messages::eta(&forecast, Duration::from_secs(772));
    assert_eq!(slower, "usually 12m, slower than 18 of 20, about 5s left");
    assert_eq!(messages::eta(&forecast, minutes(40)), "usually 12m, overdue");
    // So do the heartbeat, and with `verbose` each poll.
    let limits = Limits { timeout: minutes(50), appear: minutes(2), outage: minutes(10) };
    let rules = Rules { learning: Learning::On, ..Rules::within(limits) };
    let targets = [fixture::target("p", "r"), fixture::target("p", "s")];
    let lines = |count: usize| {
        let mut gate = Gate::new(rules.clone(), targets[..count].to_vec());
        for run in 0..count {
            let mut record = fixture::seen("RUNNING", Meaning::Wait, None).record;
            record.created_at = Some(fixture::at("2024-01-13T06:00:00Z"));
            let date = record.created_at.map(|created| created + minutes(2 + run as u64));
            let answer = Answer { observation: Observation::Record(record), retry_after: None, date };
            gate.observe(run, Duration::ZERO, answer, &mut Vec::new());
        }
        let Some(ApiRequest::Survey(mut list)) = gate.list_summary(0, Duration::ZERO) else {
            panic!("a list is wanted")
        };
        for (past, hours) in past.iter().zip(1..) {
            let created_at = fixture::at("2024-01-13T06:00:00Z") - TimeDelta::hours(hours);
            list.take(ListedRun {
                status: Some(Untrusted::new("SUCCESS")),
                created_at: Some(created_at),
                updated_at: Some(created_at + past.duration),
                ..ListedRun::default()
            });
        }
        let answer = Answer { observation: Observation::Record(*list), retry_after: None, date: None };
        gate.list_summary_received(0, Duration::ZERO, answer, &mut Vec::new());
        let (names, sanitizer) = (RunNames::new(gate.wanted(), &fixture::sanitizer()), fixture::sanitizer());
        let heartbeat = messages::heartbeat(&gate, minutes(4), 57, &HashSet::new(), &sanitizer).to_string();
        (heartbeat, messages::poll(&gate, 0, minutes(4), Some(minutes(5)), &names, &sanitizer).to_string())
    };
    let (heartbeat, look) = lines(1);
    assert_eq!(heartbeat, "still waiting: RUNNING, usually 12m, about 6m left, 4m of 50m, 57 polls");
    assert_eq!(look, "poll: RUNNING, usually 12m, about 6m left; next poll in 60.0s");
    let (heartbeat, _) = lines(2);
    assert_eq!(heartbeat, "still waiting: 0 of 2 runs have finished, the last in about 6m, 4m of 50m, 57 polls");
}

#[test]
fn a_standing_is_worded_for_every_shape_that_it_may_have() {
    let row =
        |passed, runs, at_least, after| Some(Streak { passed, runs, at_least, after, after_at_least: after >= 48 });
    let last = LastSuccess { run_id: Sanitized::ours("r"), ended_at: None, ago: Some(Duration::from_secs(2 * 86_400)) };
    let nothing = RunHistory { earlier: 9, in_a_row: None, last_success: None, same_trace: None, slower: None };
    let comparison = |past: &RunHistory| messages::comparison(past).join("; ");
    let with = |in_a_row| RunHistory { in_a_row, last_success: Some(last.clone()), ..nothing.clone() };
    assert_eq!(comparison(&with(row(false, 1, false, 0))), "last success 2d ago (run r)");
    assert_eq!(
        comparison(&with(row(false, 1, false, 1))),
        "first failure after a success; last success 2d ago (run r)"
    );
    assert_eq!(
        comparison(&with(row(false, 1, false, 12))),
        "first failure after 12 successes; last success 2d ago (run r)"
    );
    let after_all_that_is_known = "first failure after at least 50 successes; last success 2d ago (run r)";
    assert_eq!(comparison(&with(row(false, 1, false, 50))), after_all_that_is_known);
    assert_eq!(comparison(&with(row(true, 1, false, 50))), "first success after at least 50 failures");
    assert_eq!(comparison(&with(row(false, 23, false, 2))), "23rd failure in a row; last success 2d ago (run r)");
    assert_eq!(
        comparison(&with(row(false, 51, true, 0))),
        "at least the 51st failure in a row; last success 2d ago (run r)"
    );
    assert_eq!(comparison(&with(row(true, 1, false, 3))), "first success after 3 failures");
    assert_eq!(comparison(&with(row(true, 1, false, 1))), "first success after a failure");
    assert_eq!(comparison(&with(row(true, 7, false, 3))), "");
    assert_eq!(comparison(&nothing), "no success in the 9 runs before it");
    let slow = RunHistory { slower: Some((18, 20)), same_trace: Some(false), ..with(row(true, 7, false, 0)) };
    assert_eq!(comparison(&slow), "different trace from the last failure; slower than 18 of 20 runs");
    assert_eq!(
        comparison(&RunHistory { slower: Some((4, 4)), ..with(row(true, 7, false, 0)) }),
        "",
        "too few to compare with"
    );
    // And what of a pipeline is known.
    assert_eq!(messages::history(&fixture::past("p", "S").1), "the last run passed, usually in 12m");
    assert_eq!(messages::history(&fixture::past("p", "F.").1), "1 of the last 2 runs passed");
    assert_eq!(
        messages::history(&History::of(&RunList::default(), &Vocabulary::default())),
        "0 of the last 0 runs passed"
    );
}

/// The limit that ends the wait first is the one worth knowing.
#[test]
fn the_heartbeat_names_the_nearest_limit() {
    let limits = Limits { timeout: seconds(3000), appear: seconds(120), outage: seconds(600) };
    let sanitizer = fixture::sanitizer();
    let mut gate = Gate::new(Rules::within(limits), vec![Wanted::Run(fixture::target("p", "r"))]);
    let heartbeat =
        |gate: &Gate, now| messages::heartbeat(gate, seconds(now), 3, &HashSet::new(), &sanitizer).to_string();
    let answer = |gate: &mut Gate, at, observation| {
        gate.observe(0, seconds(at), Answer { observation, retry_after: None, date: None }, &mut Vec::new());
    };
    assert_eq!(heartbeat(&gate, 60), "still waiting: no answer yet, 1m of 50m, 3 polls");
    answer(
        &mut gate,
        60,
        Observation::Missing(Effect::Unusable, failure(Operation::GetRun, FailureKind::Http(503), "")),
    );
    let expected = "still waiting: read the run: the service answered 503, outage: gives up in 9m, 2m of 50m, 3 polls";
    assert_eq!(heartbeat(&gate, 120), expected);
    answer(
        &mut gate,
        130,
        Observation::Missing(Effect::NotVisible, failure(Operation::GetRun, FailureKind::Http(404), "")),
    );
    assert!(heartbeat(&gate, 160).contains(", run not found: gives up in 1m 30s, "), "{}", heartbeat(&gate, 160));
    answer(&mut gate, 170, Observation::Record(fixture::seen("RUNNING", Meaning::Wait, None).record));
    assert_eq!(heartbeat(&gate, 180), "still waiting: RUNNING, 3m of 50m, 3 polls");
    answer(
        &mut gate,
        190,
        Observation::Missing(Effect::Unreachable, failure(Operation::GetRun, FailureKind::Http(409), "")),
    );
    assert!(heartbeat(&gate, 200).contains(", refused: gives up in 50s, "), "{}", heartbeat(&gate, 200));
}
