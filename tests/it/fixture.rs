//! One rich report for each verdict, made of the API reference's examples and of what hostile services add to them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use maestro_gate::core::{
    Attempt, Connection, End, Event, Failure, FailureKind, Fingerprint, Freshness, History, LastRecord, ListedRun,
    Meaning, Operation, Outcome, PipelineDetails, PipelineId, PipelineState, Record, Request, RunId, RunList,
    RunOutcome, Selector, SessionNote, Signal, SkippedFailures, SlowerThan, Target, TimedEvent, TrustSource, Untrusted,
    Verdict, Via, Vocabulary, decide,
};
use maestro_gate::report::sanitize::Sanitizer;
use maestro_gate::report::{Link, Report, ReportContext};

pub const SECRET: &str = "correct-horse-battery";

pub const PIPELINE: &str = "1b33ad2f-33d3-4837-9eeb-83c82c8b909d";
pub const RUN: &str = "f9d8e7c6-b5a4-3928-1c0d-6e5f4a3b2c1d";

/// A trace that tries everything: commands, marks of three CI systems, a fence's and an element's end, a secret.
pub const TRACE: &str = "Connection timeout: Unable to connect to source database after 30 seconds\n\
    ::error title=forged::the gate passed\n  ::stop-commands::x\n##[error]forged\n##vso[task.complete result=Succeeded]\n\
    ##teamcity[buildStatus status='SUCCESS']\n```\n# not a headline\n</details></code> <img src=x> | a | b |\n\
    verdict<<EOF\npassed\nEOF\nuser=etl password=correct-horse-battery $CI_JOB_TOKEN `id` %0A::error::x d\u{e9}j\u{e0} \u{fffd}";

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time stamp")
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub fn target(pipeline: &str, run: &str) -> Target {
    Target { pipeline: PipelineId::new(pipeline).expect("an id"), run: RunId::new(run).expect("an id") }
}

pub fn sanitizer() -> Sanitizer {
    let sanitizer = Sanitizer::new();
    assert!(sanitizer.add_secret(SECRET));
    sanitizer
}

pub fn failure(during: Operation, kind: FailureKind, detail: &str) -> Failure {
    Failure { during, kind, detail: (!detail.is_empty()).then(|| Untrusted::new(detail)) }
}

/// The documented failed run with another status, meaning and trace: ended after 15 min 12 s.
pub fn seen(word: &str, meaning: Meaning, trace: Option<&str>) -> LastRecord {
    LastRecord {
        record: Record {
            pipeline_id: Untrusted::new(PIPELINE.replace('-', "_")),
            run_id: Untrusted::new(RUN.replace('-', "_")),
            status: Untrusted::new(word),
            created_at: Some(at("2024-01-13T06:00:00.000Z")),
            updated_at: Some(at("2024-01-13T06:15:12.000Z")),
            trace: trace.map(Untrusted::new),
            repaired: Vec::new(),
        },
        meaning,
        date: Some(at("2024-01-13T06:20:30Z")),
        // By the last poll.
        at: Duration::MAX,
    }
}

pub fn run(end: Verdict, seen: Option<LastRecord>, failure: Option<Failure>) -> RunOutcome {
    RunOutcome {
        wanted: target(PIPELINE, RUN).into(),
        end: End::Verdict(end),
        seen,
        failure,
        unknown_words: Vec::new(),
        freshness: Freshness { max_age: Some(seconds(24 * 3600)), started_after: None },
        request: Request::None,
        started: false,
        awaited_fresh_run: false,
        attempt: None,
        is_retried: false,
        no_retry: None,
    }
}

pub fn outcome(runs: Vec<RunOutcome>) -> Outcome {
    Outcome {
        verdict: decide(runs.iter().filter(|run| !run.is_retried).map(|run| run.end)),
        runs,
        histories: Vec::new(),
    }
}

/// Earlier runs of a pipeline: a day apart, oldest first, `S` or `F`, `.` for one whose length is not known.
pub fn past(pipeline: &str, ends: &str) -> (PipelineId, History) {
    let first = at("2024-01-13T06:00:00Z") - chrono::Duration::days(i64::try_from(ends.len()).expect("few"));
    let listed = |(day, end): (i64, char)| {
        let created = first + chrono::Duration::days(day);
        let minutes = 12 + day * 7 % 5;
        ListedRun {
            run: RunId::new(&format!("run_of_day_{day}")),
            number: None,
            status: Some(Untrusted::new(if end == 'F' { "FAILED" } else { "SUCCESS" })),
            created_at: Some(created),
            updated_at: (end != '.').then(|| created + chrono::Duration::minutes(minutes)),
            trace: if end == 'F' { Fingerprint::of(TRACE) } else { None },
        }
    };
    let runs = (0..).zip(ends.chars()).map(listed).collect();
    (PipelineId::new(pipeline).expect("an id"), History::of(&RunList { runs }, &Vocabulary::default()))
}

pub fn no_link(_: &str, _: &str) -> Option<Link> {
    None
}

pub fn link(pipeline: &str, run: &str) -> Option<Link> {
    (!run.is_empty()).then(|| Link::Run(format!("https://maestro.dadosfera.ai/pipelines/{pipeline}/runs/{run}")))
}

/// A report of this outcome and these events, after 431 s and 57 polls.
pub fn report(outcome: &Outcome, events: &[TimedEvent]) -> Report {
    report_with(&[], outcome, events)
}

/// The same with what the service says about the pipelines.
pub fn report_with(details: &[(PipelineId, PipelineDetails)], outcome: &Outcome, events: &[TimedEvent]) -> Report {
    let story = ReportContext {
        events,
        waited: seconds(431),
        polls: 57,
        link: &link,
        details,
        trace_file: None,
        sanitizer: &sanitizer(),
    };
    let sanitized = |run: &RunOutcome| run.trace().map(|trace| story.sanitizer.text(trace));
    let traces = outcome.runs.iter().map(sanitized).collect();
    // A golden file must not change with every release.
    Report { version: "0.0.0", ..Report::new(outcome, traces, &story) }
}

/// What the service says about a pipeline that starts at six.
pub fn details(pipeline: &str, name: &str, state: PipelineState) -> (PipelineId, PipelineDetails) {
    let text = |text: &str| Some(Untrusted::new(text));
    (target(pipeline, "r").pipeline, PipelineDetails { name: text(name), cron: text("0 6 * * *"), state })
}

fn notice(at: u64, event: Event) -> TimedEvent {
    TimedEvent { at: seconds(at), event }
}

fn connected() -> TimedEvent {
    let via = Via { address: Untrusted::new("proxy.example:3128"), variable: "HTTPS_PROXY" };
    let connection = Connection { proxy: Some(via), trusted_by: Some(TrustSource::CaFile) };
    notice(0, Event::Session(SessionNote::Connection(connection)))
}

fn signed_in() -> TimedEvent {
    notice(0, Event::Session(SessionNote::SignedIn))
}

fn running(at: u64) -> TimedEvent {
    notice(at, Event::Status { run: 0, word: Untrusted::new("RUNNING"), meaning: Meaning::Wait })
}

fn bad_gateway() -> Failure {
    failure(Operation::GetRun, FailureKind::Http(502), "<html>Bad Gateway</html>\n::error::x")
}

fn single(run: RunOutcome, events: &[TimedEvent]) -> Report {
    report(&outcome(vec![run]), events)
}

/// A report for each verdict, the first version, and several runs at once, by the name of its golden files.
pub fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("first", first()),
        ("passed", passed()),
        ("failed", failed()),
        ("invalid-input", invalid_input()),
        ("timed-out", timed_out()),
        ("not-found", not_found()),
        ("denied", denied()),
        ("unreachable", unreachable()),
        ("stale", stale()),
        ("no-fresh-run", no_fresh_run()),
        ("not-started", not_started()),
        ("internal-error", internal_error()),
        ("interrupted", interrupted()),
        ("several", several()),
        ("retried", retried()),
    ]
}

pub fn first() -> Report {
    Report { version: "0.0.0", ..Report::first(&[target(PIPELINE, RUN)], &link, &sanitizer()) }
}

pub fn passed() -> Report {
    let outage = Event::OutageBegan { run: 0, failure: bad_gateway(), limit: seconds(600) };
    let over = Event::OutageEnded { run: 0, lasted: seconds(95), misses: 7 };
    let success = Event::Status { run: 0, word: Untrusted::new("SUCCESS"), meaning: Meaning::Passed };
    let ended = Event::Ended { run: 0, end: End::Verdict(Verdict::Passed) };
    single(
        run(Verdict::Passed, Some(seen("SUCCESS", Meaning::Passed, None)), None),
        &[
            connected(),
            signed_in(),
            running(1),
            notice(60, outage),
            notice(155, over),
            notice(431, success),
            notice(431, ended),
        ],
    )
}

pub fn failed() -> Report {
    let appear = Event::NotVisible {
        run: 0,
        failure: failure(Operation::GetRun, FailureKind::NoRecord, ""),
        limit: seconds(120),
    };
    let appeared = Event::Appeared { run: 0, lasted: seconds(4) };
    let word = Event::Status { run: 0, word: Untrusted::new("FAILED"), meaning: Meaning::Failed };
    let (id, history) = past(PIPELINE, "SS.SFSSSSSSSFSSSSFSSFF");
    let details = details(PIPELINE, "Nightly load", PipelineState::Active);
    let learned = Event::Learned { pipeline: 0, id: id.clone(), history: history.clone() };
    let slow = Event::Slow { run: 0, slower: SlowerThan { runs: 15, of: 15 }, typical: seconds(840) };
    let failed = run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, Some(TRACE))), None);
    let way = [
        signed_in(),
        notice(1, appear),
        notice(5, appeared),
        running(5),
        notice(6, learned),
        notice(6, Event::Details { id: details.0.clone(), details: details.1.clone() }),
        notice(400, slow),
        notice(431, word),
    ];
    let outcome = Outcome { histories: vec![(id, history)], ..outcome(vec![failed]) };
    let mut report = report_with(&[details], &outcome, &way);
    report.trace_file = Some(sanitizer().given(&Untrusted::new("out/trace.txt")));
    report.runs[0].logs =
        Some(sanitizer().text(&Untrusted::new("INFO load 10000 rows\n::error::forged\nERROR timeout\n")));
    report
}

pub fn invalid_input() -> Report {
    let input_errors = [
        "timeout: \"fifty\" is not a duration; right would be 50m, 90s or a number of seconds",
        "no way to sign in: give username and password, or access-token, or access-token-file",
    ];
    Report { version: "0.0.0", ..Report::invalid_input(input_errors.map(str::to_owned), &sanitizer()) }
}

pub fn timed_out() -> Report {
    let unknown = Event::UnknownWord { run: 0, word: Untrusted::new("HIBERNATING|*x*") };
    let asked = Event::AskedToWait { run: 0, asked: seconds(120), waits: seconds(30) };
    let ends = Event::Session(SessionNote::EndsBeforeDeadline { left: seconds(1200), needed: seconds(3000) });
    single(
        run(Verdict::TimedOut, Some(seen("HIBERNATING|*x*", Meaning::Unknown, None)), None),
        &[notice(0, ends), notice(1, unknown), notice(200, asked)],
    )
}

pub fn not_found() -> Report {
    let why = failure(Operation::GetRun, FailureKind::Http(404), "pipeline_id X not found");
    let unseen = Event::NotVisible { run: 0, failure: why.clone(), limit: seconds(120) };
    single(run(Verdict::NotFound, None, Some(why)), &[signed_in(), notice(1, unseen)])
}

pub fn denied() -> Report {
    single(
        run(Verdict::Denied, None, Some(failure(Operation::SignIn, FailureKind::NoToken, "mfaStatus: required"))),
        &[],
    )
}

pub fn unreachable() -> Report {
    let detail = "There was an error retrieving the pipeline_run. (Database connection error)";
    let why = failure(Operation::GetRun, FailureKind::Http(500), detail);
    let began = Event::OutageBegan { run: 0, failure: why.clone(), limit: seconds(600) };
    single(run(Verdict::Unreachable, None, Some(why)), &[signed_in(), notice(1, began)])
}

pub fn stale() -> Report {
    let mut seen = seen("SUCCESS", Meaning::Passed, None);
    seen.date = Some(at("2024-01-16T10:15:12Z"));
    single(run(Verdict::Stale, Some(seen), None), &[signed_in()])
}

/// `if-stale: wait`, and no fresh run came.
pub fn no_fresh_run() -> Report {
    let mut seen = seen("SUCCESS", Meaning::Passed, None);
    seen.date = Some(at("2024-01-14T05:00:00Z"));
    let next_start = Some((at("2024-01-14T06:02:00Z"), seconds(3720)));
    let not_fresh = Event::NotFresh {
        run: 0,
        id: target(PIPELINE, RUN).run,
        selector: Selector::LastSuccess,
        record: Box::new(seen.clone()),
        required: Freshness { max_age: Some(seconds(12 * 3600)), started_after: None },
        next_start,
    };
    let failures =
        SkippedFailures { count: 1, newest: RunId::new("bad|run").expect("an id"), status: Untrusted::new("FAILED") };
    let skipped = Event::Skipped { run: 0, failures };
    let ended = RunOutcome { awaited_fresh_run: true, ..run(Verdict::Stale, Some(seen), None) };
    let freshness = Freshness { max_age: Some(seconds(12 * 3600)), started_after: None };
    let paused = notice(2, Event::PausedPipeline { run: 0 });
    let details = details(PIPELINE, "Nightly load", PipelineState::Paused);
    let events = [signed_in(), notice(1, not_fresh), paused, notice(7200, skipped)];
    report_with(&[details], &outcome(vec![RunOutcome { freshness, ..ended }]), &events)
}

pub fn not_started() -> Report {
    let paused = failure(Operation::Execute, FailureKind::Http(400), "PipelinePaused");
    single(run(Verdict::NotStarted, None, Some(paused)), &[signed_in()])
}

pub fn internal_error() -> Report {
    let bug =
        Untrusted::new("panicked at src/core/monitor.rs:1:1:\n::error::index out of bounds correct-horse-battery");
    Report::internal_error(first(), &bug, &sanitizer())
}

pub fn interrupted() -> Report {
    let seen = seen("RUNNING", Meaning::Wait, None);
    single(run(Verdict::Interrupted(Signal::Terminate), Some(seen), None), &[signed_in(), running(1)])
}

/// Five runs of two pipelines, one end each.
pub fn several() -> Report {
    let named = |run: RunOutcome, pipeline: &str, id: &str| {
        let mut run = run;
        run.wanted = target(pipeline, id).into();
        if let Some(seen) = &mut run.seen {
            seen.record.pipeline_id = Untrusted::new(pipeline);
            seen.record.run_id = Untrusted::new(id);
        }
        run
    };
    let runs = vec![
        named(run(Verdict::Passed, Some(seen("SUCCESS", Meaning::Passed, None)), None), "sales", "run_1"),
        named(run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, Some(TRACE))), None), "sales", "run_2"),
        named(run(Verdict::Failed, Some(seen("SKIPPED", Meaning::Failed, Some("short"))), None), "stock|x", "run_3"),
        named(
            run(Verdict::NotFound, None, Some(failure(Operation::GetRun, FailureKind::NoRecord, ""))),
            "stock|x",
            "manual__2024-12-18T10:30:00+00:00",
        ),
        RunOutcome {
            end: End::NotWaited,
            ..named(run(Verdict::Passed, Some(seen("RUNNING", Meaning::Wait, None)), None), "sales", "run_5")
        },
    ];
    let vanished = Event::Vanished {
        run: 3,
        failure: failure(Operation::GetRun, FailureKind::Http(410), ""),
        limit: seconds(120),
    };
    let failed = Event::Status { run: 1, word: Untrusted::new("FAILED"), meaning: Meaning::Failed };
    let histories = vec![past("sales", "FSSSS"), past("stock|x", "FF")];
    let (id, history) = histories[1].clone();
    let learned = notice(2, Event::Learned { pipeline: 1, id, history });
    let way = [signed_in(), running(1), learned, notice(200, vanished), notice(431, failed)];
    let hostile = details("stock|x", "stock | \"::error::x\" [a](b)", PipelineState::Other(Untrusted::new("error")));
    report_with(&[hostile], &Outcome { histories, ..outcome(runs) }, &way)
}

/// A pipeline whose first run failed, so that it was started again.
pub fn retried() -> Report {
    let attempt = |number, id: &str, end: Verdict, mut seen: LastRecord| {
        seen.record.run_id = Untrusted::new(id);
        let attempt = Some(Attempt { number, of: 3 });
        RunOutcome { wanted: target(PIPELINE, id).into(), started: true, attempt, ..run(end, Some(seen), None) }
    };
    let failed = attempt(1, "run_1", Verdict::Failed, seen("FAILED", Meaning::Failed, Some(TRACE)));
    let passed = attempt(2, "run_2", Verdict::Passed, seen("SUCCESS", Meaning::Passed, None));
    let again = notice(200, Event::Retrying { run: 1, attempt: Attempt { number: 2, of: 3 } });
    report(&outcome(vec![RunOutcome { is_retried: true, ..failed }, passed]), &[signed_in(), again])
}
