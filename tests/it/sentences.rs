//! The sentences for people: what happened, and what to do next.

use std::collections::HashSet;
use std::time::Duration;

use maestro_gate::core::{
    End, Event, FailureKind, IfRunning, Meaning, Operation, PipelineId, Request, RunOutcome, Selector, SessionNote,
    Signal, Target, TimedEvent, TlsFault, Untrusted, Verdict, Wanted,
};
use maestro_gate::report::chart::Chart;
use maestro_gate::report::ci::gitlab;
use maestro_gate::report::messages::{self, RunNames};
use maestro_gate::report::text;
use maestro_gate::report::{Link, NoteLevel, Report, Stage, json, junit, markdown};

use crate::ci_log::closing;
use crate::fixture::{self, failure, no_link, run, seconds, seen, target};

#[test]
fn durations_are_days_hours_minutes_seconds_rounded_down() {
    let word = |millis| messages::duration(Duration::from_millis(millis));
    assert_eq!(word(0), "0s");
    assert_eq!(word(999), "0s");
    assert_eq!(word(912_999), "15m 12s");
    assert_eq!(word(3_600_000), "1h");
    assert_eq!(word(86_400_000 + 1_000), "1d 1s");
    assert_eq!(word(90_061_000), "1d 1h 1m 1s");
    assert_eq!(messages::duration(Duration::MAX), "213503982334601d 7h 15s");
    assert_eq!(messages::clock(seconds(12)), "0:12");
    assert_eq!(messages::clock(seconds(3723)), "1:02:03");
}

#[track_caller]
fn step(
    verdict: Verdict,
    seen: Option<maestro_gate::core::LastRecord>,
    why: Option<(Operation, FailureKind)>,
) -> String {
    let why = why.map(|(during, kind)| failure(during, kind, "detail"));
    let explained = messages::explanation(&run(verdict, seen, why), None, seconds(3000), &fixture::sanitizer());
    assert!(!explained.reason.is_empty());
    explained.next_step.to_string()
}

/// What was started, or may have been, must not be started again unseen.
#[test]
fn a_request_to_start_whose_run_nobody_saw_is_reported_with_the_end() {
    for verdict in
        [Verdict::NotStarted, Verdict::NotFound, Verdict::Unreachable, Verdict::Interrupted(Signal::Terminate)]
    {
        let explained = |request| {
            messages::explanation(
                &RunOutcome { request, ..run(verdict, None, None) },
                None,
                seconds(3),
                &fixture::sanitizer(),
            )
        };
        assert!(
            !explained(Request::None).reason.contains("start a run")
                && !explained(Request::None).reason.contains("been started")
        );
        assert!(explained(Request::InDoubt).reason.ends_with("; a run may have been started"));
        assert!(explained(Request::Taken).reason.ends_with("; the service accepted the request to start a run"));
        for request in [Request::InDoubt, Request::Taken] {
            assert!(explained(request).next_step.contains("before you re-run it"));
        }
    }
}

/// To run the job again would start another.
#[test]
fn under_trigger_the_next_step_is_never_to_run_the_job_again_while_its_run_may_go_on() {
    use Verdict::{Failed, Interrupted, TimedOut};
    let explained = |verdict, word, meaning, why: Option<FailureKind>| {
        let why = why.map(|kind| failure(Operation::List, kind, "earlier"));
        let outcome = RunOutcome { started: true, ..run(verdict, Some(seen(word, meaning, None)), why) };
        messages::explanation(&outcome, None, seconds(3), &fixture::sanitizer())
    };
    let wait_on = format!("set run-id: {}/{} instead of trigger", fixture::PIPELINE, fixture::RUN);
    for verdict in [TimedOut, Interrupted(Signal::Terminate)] {
        let next = explained(verdict, "RUNNING", Meaning::Wait, None).next_step;
        assert!(next.contains(&wait_on) && !next.contains("re-run this job"), "{next}");
    }
    let failed = explained(Failed, "FAILED", Meaning::Failed, None).next_step;
    assert!(failed.ends_with("re-run this job, which starts a new run"), "{failed}");
    let doubtful = explained(TimedOut, "SUCCESS", Meaning::Passed, Some(FailureKind::Queued));
    assert!(
        doubtful.reason.contains("not certain that it is the run that was started")
            && doubtful.reason.contains("earlier")
    );
    assert!(doubtful.next_step.contains("before you re-run it"), "{doubtful:?}");
    let unread = explained(TimedOut, "SUCCESS", Meaning::Passed, None);
    assert!(
        unread.reason.contains("not certain that it is the run that was started")
            && !unread.next_step.contains("not affected")
    );
    // Nor after a kill.
    let pipeline = PipelineId::new("p").expect("an id");
    let start = Wanted::Start { pipeline, if_running: IfRunning::Queue };
    let first = Report::first([start], &no_link, &fixture::sanitizer());
    let next = messages::next_steps(&first);
    assert!(matches!(&next[..], [only] if only.contains("before you re-run it: that would start another")), "{next:?}");
}

#[test]
fn a_wait_behind_an_earlier_run_is_reported_as_that() {
    let why = Some(failure(Operation::List, FailureKind::Queued, "earlier"));
    let outcome = RunOutcome { started: true, request: Request::Taken, ..run(Verdict::NotFound, None, why) };
    let explained = messages::explanation(&outcome, None, seconds(3), &fixture::sanitizer());
    assert!(explained.reason.contains("may be queued behind an earlier run: earlier"), "{explained:?}");
    assert!(
        explained.next_step.contains("raise timeout") && explained.next_step.contains("check in Maestro"),
        "{explained:?}"
    );
}

/// The person at 2 a.m. learns which input to change.
#[test]
fn the_next_step_names_the_input_to_change() {
    use Operation::{GetRun, SignIn};
    use Verdict::{Denied, NotFound, Stale, TimedOut, Unreachable};
    let unknown = Some(seen("FOO", Meaning::Unknown, None));
    assert!(step(TimedOut, unknown, None).starts_with("if FOO means success, set success-statuses: FOO;"));
    assert!(step(TimedOut, Some(seen("RUNNING", Meaning::Wait, None)), None).contains("raise timeout"));
    assert!(step(Stale, Some(seen("SUCCESS", Meaning::Passed, None)), None).contains("max-age"));
    for (verdict, during, kind, input) in [
        (Denied, SignIn, FailureKind::Http(401), "DADOSFERA_PASSWORD"),
        (Denied, SignIn, FailureKind::NoToken, "set totp-secret"),
        (Denied, SignIn, FailureKind::CodeRefused, "check totp-secret"),
        (Denied, GetRun, FailureKind::TokenRefused, "access-token"),
        (Denied, GetRun, FailureKind::TokenFile, "access-token-file"),
        (Denied, GetRun, FailureKind::Http(403), "account"),
        (NotFound, GetRun, FailureKind::Http(404), "appear-timeout"),
        (NotFound, GetRun, FailureKind::NoRecord, "run-id and pipeline-id"),
        (Unreachable, GetRun, FailureKind::Http(500), "run-id and pipeline-id"),
        (Unreachable, GetRun, FailureKind::Http(502), "max-outage"),
        (Unreachable, GetRun, FailureKind::Http(429), "poll-interval"),
        (Unreachable, GetRun, FailureKind::Http(400), "base-url"),
        (Unreachable, SignIn, FailureKind::Http(404), "base-url"),
        (Unreachable, GetRun, FailureKind::NotJson, "base-url"),
        (Unreachable, GetRun, FailureKind::RedirectOffOrigin, "base-url"),
        (Unreachable, GetRun, FailureKind::Certificate, "ca-file"),
        (Unreachable, GetRun, FailureKind::ProxyAuthentication, "HTTPS_PROXY"),
        (Unreachable, GetRun, FailureKind::Proxy, "NO_PROXY"),
        (Unreachable, GetRun, FailureKind::ProxyRefused(403), "NO_PROXY"),
        (Unreachable, GetRun, FailureKind::ProxyRefused(503), "max-outage"),
        (Unreachable, GetRun, FailureKind::Tls(TlsFault::NothingInCommon), "TLS 1.2"),
        (Unreachable, GetRun, FailureKind::Tls(TlsFault::ClientCertificate), "requires no client certificate"),
        (Unreachable, GetRun, FailureKind::Tls(TlsFault::NotTls), "the port in base-url"),
        (Unreachable, GetRun, FailureKind::Tls(TlsFault::CaFileIsLeaf), "the authority that signed"),
        (Unreachable, GetRun, FailureKind::Dns, "base-url"),
        (Unreachable, GetRun, FailureKind::Connect, "max-outage"),
        (Unreachable, GetRun, FailureKind::Timeout, "max-outage"),
    ] {
        let step = step(verdict, None, Some((during, kind)));
        assert!(step.contains(input), "{kind:?}: {step}");
    }
}

#[test]
fn a_failure_by_another_word_is_reported_with_its_way_out() {
    let skipped = step(Verdict::Failed, Some(seen("SKIPPED", Meaning::Failed, None)), None);
    assert!(skipped.contains("success-statuses: SKIPPED"), "{skipped}");
    // The status that always fails can't be given another meaning.
    let failed = step(Verdict::Failed, Some(seen(" failed", Meaning::Failed, Some("why"))), None);
    assert!(failed.starts_with("read the trace") && !failed.contains("success-statuses"), "{failed}");
}

#[test]
fn a_miss_is_reported_with_what_was_tried_and_what_was_said() {
    let why = failure(Operation::GetRun, FailureKind::Http(502), "bad\ngateway correct-horse-battery");
    assert_eq!(
        &*messages::failure(&why, &fixture::sanitizer()),
        "read the run: the service answered 502: bad gateway ***"
    );
    let long = failure(Operation::SignIn, FailureKind::NotJson, &"x".repeat(100_000));
    assert!(messages::failure(&long, &fixture::sanitizer()).len() < 400);
}

#[test]
fn steps_are_reported_once_and_the_gate_s_own_first() {
    let runs = (0..50).map(|index| {
        let why = failure(Operation::GetRun, FailureKind::Http(404), "");
        let mut run = run(Verdict::NotFound, None, Some(why));
        if index == 30 {
            run = self::run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, None)), None);
        }
        run
    });
    let steps = messages::next_steps(&fixture::report(&fixture::outcome(runs.collect()), &[]));
    assert_eq!(steps.len(), 2);
    assert!(steps[0].starts_with("read the run's logs"), "the failure decides: {steps:?}");
    let distinct: HashSet<&str> = steps.iter().map(|step| &**step).collect();
    assert_eq!(distinct.len(), 2);
}

#[test]
fn what_deserves_a_warning_gets_one_and_a_blip_does_not() {
    let names = RunNames::new(&[target("p", "r")], &fixture::sanitizer());
    let weight = |event| {
        messages::note(&TimedEvent { at: seconds(1), event }, &names, &fixture::sanitizer()).expect("a note").weight
    };
    let ended = |lasted| weight(Event::OutageEnded { run: 0, lasted: seconds(lasted), misses: 1 });
    assert_eq!((ended(59), ended(60)), (NoteLevel::Plain, NoteLevel::Warning));
    assert_eq!(weight(Event::UnknownWord { run: 0, word: Untrusted::new("X") }), NoteLevel::Warning);
    assert_eq!(weight(Event::Session(SessionNote::ShortSecret("password"))), NoteLevel::Warning);
    assert_eq!(weight(Event::Session(SessionNote::SignedIn)), NoteLevel::Plain);
}

#[test]
fn an_end_is_reported_where_neither_status_nor_verdict_says_it() {
    let sanitizer = fixture::sanitizer();
    let note = |targets: &[Target], end| {
        let notice = TimedEvent { at: seconds(1), event: Event::Ended { run: 0, end } };
        messages::note(&notice, &RunNames::new(targets, &sanitizer), &sanitizer).map(|note| note.text.to_string())
    };
    let (one, two) = ([target("p", "a")], [target("p", "a"), target("p", "b")]);
    for end in [End::NotWaited, End::Verdict(Verdict::NotFound), End::Verdict(Verdict::Stale)] {
        assert_eq!(note(&one, end), None);
        assert_eq!(note(&two, end), Some(format!("a: finished: {}", end.name())));
    }
    for end in [End::Verdict(Verdict::Passed), End::Verdict(Verdict::Failed)] {
        assert_eq!((note(&one, end), note(&two, end)), (None, None));
    }
}

#[test]
fn a_line_names_its_run_only_where_there_are_several() {
    let sanitizer = fixture::sanitizer();
    let text = |targets: &[Target], run| {
        let event = Event::Status { run, word: Untrusted::new("RUNNING"), meaning: Meaning::Wait };
        messages::note(&TimedEvent { at: seconds(1), event }, &RunNames::new(targets, &sanitizer), &sanitizer)
            .expect("a note")
            .text
            .to_string()
    };
    let (a, b, c) = (target("p", "a"), target("p", "b"), target("q", "a"));
    assert_eq!(text(std::slice::from_ref(&a), 0), "status RUNNING");
    assert_eq!(text(&[a.clone(), b], 1), "b: status RUNNING");
    assert_eq!(text(&[a, c], 1), "q/a: status RUNNING");
    assert_eq!(text(&[], 7), "status RUNNING");
}

#[test]
fn signals_are_distinguished() {
    let reason = |by| {
        let outcome = fixture::outcome(vec![run(Verdict::Interrupted(by), None, None)]);
        messages::headline(&fixture::report(&outcome, &[])).to_string()
    };
    assert!(reason(Signal::Interrupt).contains("no answer yet when SIGINT"), "{}", reason(Signal::Interrupt));
    assert!(reason(Signal::Terminate).contains("SIGTERM, SIGQUIT or SIGHUP"));
}

#[test]
fn only_a_timeout_behind_an_earlier_run_advises_to_raise_timeout() {
    let next_step = |end| {
        let queued = Some(failure(Operation::List, FailureKind::Queued, "an-earlier-run"));
        let outcome = RunOutcome { request: Request::Taken, started: true, ..run(end, None, queued) };
        fixture::report(&fixture::outcome(vec![outcome]), &[]).runs[0].next_step.to_string()
    };
    let raise = "raise timeout to wait longer";
    assert!(next_step(Verdict::NotFound).ends_with(raise), "{}", next_step(Verdict::NotFound));
    assert!(next_step(Verdict::TimedOut).ends_with(raise), "{}", next_step(Verdict::TimedOut));
    let interrupted = next_step(Verdict::Interrupted(Signal::Interrupt));
    assert!(interrupted.contains("check in Maestro whether this job started a run") && !interrupted.contains("raise"));
}

#[test]
fn a_bug_is_reported_as_a_bug_whatever_was_known() {
    for known in [fixture::first(), fixture::passed(), fixture::several()] {
        let report = Report::internal_error(known, &Untrusted::new("index out of bounds"), &fixture::sanitizer());
        assert_eq!((report.verdict, report.stage), (Verdict::InternalError, Stage::Final));
        assert_eq!(&*messages::headline(&report), "a bug in maestro-gate, not a result of the run");
        assert!(report.bug.is_some_and(|bug| bug.contains("index out of bounds")));
        assert!(report.runs.iter().all(|run| !run.reason.contains("killed")));
    }
}

#[test]
fn links_are_https_and_can_not_end_early() {
    let link = |url: &str| {
        let url = url.to_owned();
        let first =
            Report::first(&[target("p", "r")], &move |_, _| Some(Link::Run(url.clone())), &fixture::sanitizer());
        first.runs[0].run_url().map(str::to_owned)
    };
    assert_eq!(link("https://x/a?b=c#d%20e").as_deref(), Some("https://x/a?b=c#d%20e"));
    assert_eq!(link("https://x/>) | `\n[é").as_deref(), Some("https://x/%3E%29%20%7C%20%60%0A%5B%C3%A9"));
    for bad in ["javascript:alert(1)", "http://x/", "", "https:/é", "é"] {
        assert_eq!(link(bad), None, "{bad}");
    }
}

/// Issue 20.3: without `run-url` the link leads to the pipeline's page, and every report says so.
#[test]
fn a_link_to_the_pipeline_is_in_every_report_and_called_so() {
    const URL: &str = "https://app.dadosfera.ai/pt-BR/collect/pipelines/p-1";
    let link = |_: &str, _: &str| Some(Link::Pipeline(URL.to_owned()));
    let choice = Wanted::Choice { pipeline: target("p_1", "r").pipeline, selector: Selector::Latest };
    for (wanted, has_run) in [(target("p_1", "r").into(), true), (choice, false)] {
        let report = Report { stage: Stage::Final, ..Report::first([wanted], &link, &fixture::sanitizer()) };
        let file: serde_json::Value = serde_json::from_str(&json::render(&report).concat()).expect("JSON");
        assert_eq!((&file["runs"][0]["run_url"], &file["runs"][0]["pipeline_url"]), (&().into(), &URL.into()));
        assert!(closing(&report, "none").contains(&format!("link to the pipeline: {URL}\n")));
        assert!(text::closing_json(&report).contains(URL));
        let page = markdown::summary(&report, Chart::Text);
        assert!(page.contains(&format!("<br>of [`p_1`](<{URL}>)")) && !page.contains("[`r`]"), "{page}");
        let file = junit::render(&report);
        assert!(file.contains(&format!("<property name=\"pipeline-url\" value=\"{URL}\"/>")), "{file}");
        let links = gitlab::annotations(&report);
        assert!(links.contains(URL), "{has_run}: {links}");
    }
}

/// The last line alone has to be enough for the person on call.
#[test]
fn the_last_line_holds_the_verdict_the_run_and_the_cause() {
    let last = |report: &Report| closing(report, "none").lines().next_back().expect("a line").to_owned();
    let all = fixture::all();
    let of = |name: &str| last(&all.iter().find(|(other, _)| *other == name).expect("a report").1);
    for (name, cause) in [
        ("failed", "Connection timeout: Unable to connect to source database after 30 seconds"),
        ("several", "run run_2 of pipeline sales: status FAILED after 15m 12s: Connection timeout: Unable to connect"),
        ("timed-out", "still in the unknown status HIBERNATING"),
        ("not-found", "the service answered 404: pipeline_id X not found"),
        ("denied", "mfaStatus: required"),
        (
            "unreachable",
            "the service answered 500: There was an error retrieving the pipeline_run. (Database connection",
        ),
        ("stale", "succeeded at 2024-01-13T06:15:12Z, 3d 4h ago"),
        ("not-started", "the service answered 400: PipelinePaused"),
        ("invalid-input", "timeout: \"fifty\" is not a duration"),
        ("internal-error", "panicked at src/core/monitor.rs:1:1"),
        ("interrupted", "still RUNNING when SIGTERM"),
    ] {
        let line = of(name);
        assert!(line.contains(cause), "{name}: {line}");
        if !["invalid-input", "internal-error"].contains(&name) {
            assert!(line.contains("run ") && line.contains("of pipeline "), "{name}: {line}");
        }
    }
    let with_trace = |trace: &str| {
        let seen = seen("FAILED", Meaning::Failed, Some(trace));
        last(&fixture::report(&fixture::outcome(vec![run(Verdict::Failed, Some(seen), None)]), &[]))
    };
    let python = "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no column price\n\n";
    assert!(with_trace(python).ends_with(": ValueError: no column price"), "{}", with_trace(python));
    assert!(with_trace("\n  \n  first\nsecond").ends_with("after 15m 12s: first"));
    assert!(with_trace(" \n").ends_with("after 15m 12s"));
    let long = with_trace(&format!("{}\u{1b}[31m::error::x", "y".repeat(5000)));
    assert!(long.len() < 700 && long.ends_with('…'), "{long}");
}

#[test]
fn every_report_but_a_pass_leads_to_the_section_of_its_verdict() {
    let page = crate::repository::text("docs/troubleshooting.md");
    for (name, report) in fixture::all() {
        let section = format!("docs/troubleshooting.md#{}", report.verdict.name());
        let documents = [
            closing(&report, "none"),
            text::closing_json(&report),
            markdown::summary(&report, Chart::Text),
            json::render(&report).concat(),
            junit::render(&report),
        ];
        let passed = report.verdict == Verdict::Passed;
        for document in documents {
            assert_eq!(
                document.contains(&section) || document.contains(&section.replace('#', "\\u0023")),
                !passed,
                "{name}: {document}"
            );
        }
        assert!(passed || page.contains(&format!("\n## {}\n", report.verdict.name())), "{name} has no section");
    }
}
