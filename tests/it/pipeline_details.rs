//! docs/reference.md#pipeline-details: the pipeline's name, schedule and state are shown, and change nothing else.

use std::time::Duration;

use maestro_gate::core::{
    Answer, Effect, Event, FailureKind, Gate, Limits, Meaning, Observation, Operation, PipelineDetails, PipelineState,
    Rules, RunOutcome, TimedEvent, Untrusted, Verdict, Wanted,
};
use maestro_gate::report::chart::Chart;
use maestro_gate::report::ci::gitlab;
use maestro_gate::report::{Report, RunReport, dotenv, junit, markdown, messages, text};
use serde_json::{Value, json};

use crate::ci_log::closing;
use crate::fixture::{self, SECRET};
use crate::harness::{PIPELINE, RUNNING, Story, in_parallel, scenario, service_of};
use crate::hostile::hostile_texts;
use crate::hostile_text::obeyed;
use crate::runner::markdown as page;
use crate::stand_in::{On, Reply, Service};

const PATIENCE: Duration = Duration::from_secs(120);

/// A pipeline with these details, and a run that is in progress until the test says otherwise.
fn with(details: Value) -> Service {
    let record = json!({"pipeline_run_id": RUNNING, "last_status": "RUNNING", "created_at": "begin"});
    service_of(json!({"details": details, "runs": [{"record": record}]}))
}

fn waiting(service: &Service) -> Story<'_> {
    Story::at(service).runs(&[RUNNING]).with("poll-interval", "1s").with("logs", "never").with("history", "false")
}

#[test]
fn a_pipeline_s_name_schedule_and_state_are_in_every_report() {
    let service = with(json!({"name": "Nightly load", "cron": "0 6 * * *"}));
    let live = waiting(&service).start();
    live.wait_for_output("pipeline details: \"Nightly load\", cron 0 6 * * *, active");
    service.order(On::Run, Reply::run("FAILED").forever());
    let outcome = live.finish();
    outcome.assert_ended("failed", 1);
    assert_eq!(service.requests_to(On::Pipeline).len(), 1, "one request, however long the wait is");
    assert_eq!(
        outcome.report()["runs"][0]["pipeline"],
        json!({"name": "Nightly load", "cron": "0 6 * * *", "state": "active"})
    );
    assert_eq!(outcome.output("pipeline-name"), "Nightly load");
    let last = outcome.log().trim_end().lines().last().unwrap_or_default();
    assert!(last.contains(&format!("of pipeline \"Nightly load\" ({PIPELINE})")), "{last}");
    let summary = outcome.markdown.as_deref().expect("a summary");
    assert!(summary.contains(&format!("<br>of Nightly load `{PIPELINE}`")), "{summary}");
    assert!(summary.contains(&format!("Pipeline Nightly load `{PIPELINE}`: cron `0 6 * * *`, active\n")), "{summary}");
    let (_, file) = outcome.files.iter().find(|(path, _)| path.ends_with("report.xml")).expect("a JUnit report");
    for (name, value) in [("name", "Nightly load"), ("cron", "0 6 * * *"), ("state", "active")] {
        assert!(file.contains(&format!("<property name=\"pipeline-{name}\" value=\"{value}\"/>")), "{file}");
    }
}

#[test]
fn without_details_nothing_is_requested() {
    let service = with(json!({"name": "Nightly load"}));
    let live = waiting(&service).with("details", "false").start();
    assert!(service.wait_for(On::Run, 3, PATIENCE));
    service.order(On::Run, Reply::run("SUCCESS").forever());
    let outcome = live.finish();
    outcome.assert_ended("passed", 0);
    assert_eq!(service.requests_to(On::Pipeline).len(), 0);
    assert_eq!((outcome.output("pipeline-name"), &outcome.report()["runs"][0]["pipeline"]), ("", &Value::Null));
}

/// Whatever comes, and if nothing comes: the verdict, the polls and the sign-ins are those without it.
#[test]
fn an_answer_that_is_no_details_changes_nothing() {
    let right = json!({"status": true, "data": {"id": PIPELINE, "name": "x", "status": "active"}});
    let other = json!({"status": true, "data": {"id": "another", "name": "x", "status": "active"}});
    let huge = json!({"status": true, "data": {"id": PIPELINE, "name": "x".repeat(2 << 20), "status": "active"}});
    let rows: Vec<(&str, Reply)> = vec![
        ("silence", Reply::hang()),
        ("401", Reply::status(401)),
        ("403", Reply::status(403)),
        ("404", Reply::status(404)),
        ("421", Reply::status(421)),
        ("429", Reply::status(429).retry_after(600)),
        ("500", Reply::json(500, right.clone())),
        ("201", Reply::json(201, right)),
        ("a redirect within the service", Reply::redirect(302, "/")),
        ("a redirect elsewhere", Reply::redirect(302, "https://evil.invalid/")),
        ("a page", Reply::text(200, "<html>")),
        ("another pipeline", Reply::json(200, other)),
        ("2 MiB", Reply::json(200, huge)),
        ("a broken connection", Reply::reset()),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply)| {
            let service = with(json!({"name": "Nightly load"}));
            service.order(On::Pipeline, reply.clone().forever());
            let live = waiting(&service).start();
            assert!(service.wait_for(On::Pipeline, 1, PATIENCE) && service.wait_for(On::Run, 3, PATIENCE));
            service.order(On::Run, Reply::run("SUCCESS").forever());
            let outcome = live.finish();
            outcome.assert_ended("passed", 0);
            assert_eq!(outcome.report()["runs"][0]["pipeline"], Value::Null);
            assert_eq!((service.requests_to(On::Pipeline).len(), service.requests_to(On::SignIn).len()), (1, 1));
            assert!(!outcome.log().contains("warning"), "{}", outcome.log());
        },
    );
}

#[test]
fn a_paused_pipeline_is_reported_while_its_run_does_not_appear() {
    let service = service_of(json!({"details": {"name": "Nightly load"}, "paused": true, "runs": []}));
    let rows = [("run-id", "not_there", "not-found", 4), ("if-stale", "wait", "not-found", 4)];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(input, value, verdict, code)| {
            let story = Story::at(&service).with("run-id", "latest").with("max-age", "1d").with(input, *value);
            let story = story.with("appear-timeout", "5s").with("timeout", "20s").with("poll-interval", "1s");
            let outcome = story.play();
            outcome.assert_ended(verdict, *code);
            let notes = outcome.notes();
            let said =
                notes.iter().filter(|note| note.contains("the pipeline was paused when the gate started")).count();
            assert_eq!(said, 1, "{notes:?}");
            let run = &outcome.report()["runs"][0];
            assert!(
                run["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.ends_with("; the pipeline was paused when the gate started"))
            );
            assert!(outcome.log().contains("next step: unpause the pipeline in Maestro"), "{}", outcome.log());
        },
    );
}

/// A run that is there needs no such word.
#[test]
fn a_paused_pipeline_is_no_news_while_its_run_is_in_progress() {
    let record = json!({"pipeline_run_id": RUNNING, "last_status": "RUNNING", "created_at": "begin"});
    let service = service_of(json!({"paused": true, "runs": [{"record": record}]}));
    let live = waiting(&service).start();
    live.wait_for_output("pipeline details: \"stand-in\", paused");
    service.order(On::Run, Reply::run("FAILED").forever());
    let outcome = live.finish();
    outcome.assert_ended("failed", 1);
    assert!(!outcome.log().contains("was paused"), "{}", outcome.log());
}

/// The heartbeat says it again.
#[test]
fn the_heartbeat_says_that_the_pipeline_is_paused_until_the_run_appears() {
    let sanitizer = fixture::sanitizer();
    let rules = Rules::within(Limits {
        timeout: fixture::seconds(3000),
        appear: fixture::seconds(120),
        outage: fixture::seconds(600),
    });
    let mut gate = Gate::new(rules, [fixture::target("p", "r")]);
    let heartbeat = |gate: &Gate, paused: &[usize]| {
        let paused = paused.iter().copied().collect();
        messages::heartbeat(gate, fixture::seconds(60), 3, &paused, &sanitizer).to_string()
    };
    let answer = |observation| Answer { observation, retry_after: None, date: None };
    assert!(!gate.is_missing(0) && !heartbeat(&gate, &[0]).contains("paused"), "nothing is known of the run yet");
    let failure = fixture::failure(Operation::GetRun, FailureKind::NoRecord, "");
    gate.observe(0, fixture::seconds(1), answer(Observation::Missing(Effect::NotVisible, failure)), &mut Vec::new());
    assert!(gate.is_missing(0) && !heartbeat(&gate, &[]).contains("paused"));
    assert!(heartbeat(&gate, &[0]).contains("; the pipeline is paused, "), "{}", heartbeat(&gate, &[0]));
    let record = fixture::seen("RUNNING", Meaning::Wait, None).record;
    gate.observe(0, fixture::seconds(2), answer(Observation::Record(record)), &mut Vec::new());
    assert!(!gate.is_missing(0) && !heartbeat(&gate, &[0]).contains("paused"));
}

/// What the service calls a pipeline is untrusted text, in every destination.
#[test]
fn hostile_names_yield_nothing() {
    let failed = || fixture::run(Verdict::Failed, Some(fixture::seen("FAILED", Meaning::Failed, None)), None);
    let plain = fixture::report(&fixture::outcome(vec![failed()]), &[]);
    let mut texts: Vec<String> = hostile_texts().into_iter().filter(|text| !text.starts_with("before ")).collect();
    texts.extend(["x".repeat(10 << 10), "\u{fffd}\u{202e}[a](https://evil.invalid)".to_owned(), "|".repeat(200)]);
    for text in &texts {
        let hostile = || Untrusted::new(format!("{text} {SECRET}"));
        let details =
            PipelineDetails { name: Some(hostile()), cron: Some(hostile()), state: PipelineState::Other(hostile()) };
        let id = fixture::target(fixture::PIPELINE, "r").pipeline;
        let event = Event::Details { id: id.clone(), details: details.clone() };
        let events = [TimedEvent { at: fixture::seconds(1), event }];
        let report = fixture::report_with(&[(id, details)], &fixture::outcome(vec![failed()]), &events);
        let known = report.runs[0].pipeline.as_ref().expect("details");
        assert!(known.name.len() <= 100 && known.cron.len() <= 100 && known.state.len() <= 100, "{known:?}");
        let notes: String = report.notes.iter().map(text::note).collect();
        assert_eq!(notes.lines().count(), 1, "{notes:?}");
        for ci in ["none", "github", "azure", "teamcity", "buildkite", "gitlab"] {
            let log = notes.clone() + &closing(&report, ci);
            assert_eq!(obeyed(&log).len(), obeyed(&closing(&plain, ci)).len(), "{ci}: {log}");
            assert!(!log.contains(SECRET), "{ci}: {log}");
        }
        let summary = markdown::summary(&report, Chart::Text);
        let kinds = page::kinds(&page::parse(&summary));
        let forbidden = ["image", "<script>", "heading 1"];
        // What stands in a code span is text, whatever it is.
        let markup = kinds.iter().filter(|kind| !kind.starts_with("inline code"));
        let found: Vec<_> = markup.filter(|kind| forbidden.iter().any(|word| kind.contains(word))).collect();
        assert!(found.is_empty(), "{found:?}: {summary}");
        assert_eq!(kinds.iter().filter(|kind| *kind == "link").count(), 1, "the link to the run: {summary}");
        for document in [summary, junit::render(&report), gitlab::annotations(&report)] {
            assert!(!document.contains(SECRET), "{document}");
        }
        assert!(junit::render(&report).is_ascii());
    }
}

#[test]
fn hostile_names_reach_no_reader_of_a_real_gate() {
    let texts: Vec<String> = hostile_texts().into_iter().filter(|text| !text.starts_with("before ")).collect();
    in_parallel(
        &texts,
        |text| format!("{text:.60?}"),
        |text| {
            let service = with(json!({"name": text, "cron": text, "status": text}));
            let live = waiting(&service).start();
            live.wait_for_output("pipeline details: ");
            service.order(On::Run, Reply::run("FAILED").forever());
            live.finish().assert_ended("failed", 1);
        },
    );
}

/// Two spellings of one pipeline are two to the gate; twenty-one pipelines are too many.
#[test]
fn a_gate_of_more_than_twenty_pipelines_requests_no_details() {
    for (pipelines, requests) in [(20, 20), (21, 0)] {
        let pipeline = |n: usize| {
            let run = |run: usize| json!({"record": {"pipeline_run_id": format!("r{n}_{run}"), "created_at": "begin"}});
            json!({"pipeline_id": format!("p{n}"), "runs": [run(0), run(1)]})
        };
        let all: Vec<Value> = (0..pipelines).map(pipeline).collect();
        let service = Service::start(scenario(json!({"pipelines": all})));
        let ids: Vec<String> = (0..pipelines).flat_map(|n| [format!("p{n}/r{n}_0"), format!("p{n}/r{n}_1")]).collect();
        let story = Story::at(&service).without("pipeline-id").with("run-id", ids.join(" ")).with("fail-fast", "true");
        let live = story.with("poll-interval", "1s").with("logs", "never").with("history", "false").heavy().start();
        assert!(
            service.wait_for(On::Pipeline, requests, PATIENCE) && service.wait_for(On::Run, 4 * pipelines, PATIENCE)
        );
        service.order(On::Run, Reply::run("FAILED").forever());
        live.finish().assert_ended("failed", 1);
        assert_eq!(service.requests_to(On::Pipeline).len(), requests);
    }
}

/// Wanted by its name, a pipeline is still told from another of the same name by its id.
#[test]
fn a_name_stands_beside_the_id_and_never_in_its_place() {
    let report = fixture::several();
    let named: Vec<&RunReport> = report.runs.iter().filter(|run| run.pipeline.is_some()).collect();
    assert!(!named.is_empty());
    for run in named {
        let words = messages::run(run);
        assert!(words.contains(&format!("({})", &*run.pipeline_id)), "{}", &*words);
    }
    let wanted = Wanted::from(fixture::target("p", "r"));
    let first = Report::first([wanted], &fixture::no_link, &fixture::sanitizer());
    assert_eq!(first.runs[0].pipeline, None);
}

/// GitLab refuses a dotenv file of more than 5 KiB, whatever the service calls things.
#[test]
fn the_longest_name_leaves_room_for_the_other_variables() {
    let long = "\u{e9}".repeat(400);
    let id = &long[..256];
    let mut seen = fixture::seen(&long, Meaning::Failed, Some(&long));
    seen.record.run_id = Untrusted::new(id);
    seen.record.pipeline_id = Untrusted::new(id);
    let run = RunOutcome { wanted: fixture::target(id, id).into(), ..fixture::run(Verdict::Failed, Some(seen), None) };
    let mut report =
        fixture::report_with(&[fixture::details(id, &long, PipelineState::Active)], &fixture::outcome(vec![run]), &[]);
    report.trace_file = Some(fixture::sanitizer().given(&Untrusted::new("x".repeat(1024))));
    assert_eq!(report.runs[0].pipeline.as_ref().map(|known| known.name.chars().count()), Some(49));
    let file = dotenv::render(&report, "MAESTRO_GATE_");
    assert!((4096..5 * 1024).contains(&file.len()), "{} bytes: {file}", file.len());
}
