//! Builds a report: from an outcome, before there is one, or instead of one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::cause;
use super::messages::{self, Explanation, RunNames};
use super::pipeline::PipelineReport;
use super::previous_runs::{PipelineHistory, RunHistory};
use super::sanitize::{self, Sanitized, Sanitizer};
use super::values::is_rfc3339;
use super::{ConnectionReport, Link, Report, RunReport, Stage, escape};
use crate::core::{
    End, Event, History, LastRecord, Outcome, PipelineDetails, PipelineId, RunOutcome, SessionNote, Signal, TimedEvent,
    TrustSource, Untrusted, Verdict, Wanted,
};

/// What a report tells besides the outcome.
pub struct ReportContext<'a> {
    /// In the order in which they came.
    pub events: &'a [TimedEvent],
    pub waited: Duration,
    pub polls: u64,
    /// The link for a pipeline's and a run's id; the run's is empty while it is not known.
    pub link: &'a dyn Fn(&str, &str) -> Option<Link>,
    /// The details of the pipelines, as far as they came.
    pub details: &'a [(PipelineId, PipelineDetails)],
    /// The path of the trace file, if one is written.
    pub trace_file: Option<&'a str>,
    pub sanitizer: &'a Sanitizer,
}

/// The longest sentence about one input error, in bytes.
const MISTAKE_LIMIT: usize = 1024;

/// The longest bug report, in bytes: a panic's message may hold what the service sent.
const BUG_LIMIT: usize = 8 * 1024;

impl Report {
    /// The report of a watch that came to its end, with the sanitized traces of its runs.
    pub fn new(outcome: &Outcome, traces: Vec<Option<Sanitized>>, story: &ReportContext<'_>) -> Report {
        let names = RunNames::new(outcome.runs.iter().map(|run| &run.wanted), story.sanitizer);
        let past = outcome.histories.iter().map(|(pipeline, history)| (pipeline, history)).collect();
        let runs = outcome.runs.iter().zip(traces);
        let run_report = |(run, trace): (&RunOutcome, Option<Sanitized>)| {
            let known = RunReport::new(&run.wanted, run.seen.as_ref(), story.link, story.sanitizer);
            known.ended(run, trace, &past, story)
        };
        let histories = outcome.histories.iter();
        let notes = story.events.iter().filter_map(|event| messages::note(event, &names, story.sanitizer));
        Report {
            runs: runs.map(run_report).collect(),
            histories: histories
                .filter_map(|past| PipelineHistory::new(past, &outcome.runs, story.sanitizer))
                .collect(),
            waited: story.waited,
            polls: story.polls,
            notes: notes.collect(),
            connection: ConnectionReport::new(story),
            trace_file: story.trace_file.map(|path| story.sanitizer.given(&Untrusted::new(path))),
            ..Report::empty(outcome.verdict, Stage::Final)
        }
    }

    /// The version written before the first request.
    pub fn first<W: Into<Wanted>>(
        wanted: impl IntoIterator<Item = W>,
        link: &dyn Fn(&str, &str) -> Option<Link>,
        sanitizer: &Sanitizer,
    ) -> Report {
        let runs = wanted.into_iter().map(|wanted| RunReport::new(&wanted.into(), None, link, sanitizer)).collect();
        Report { runs, ..Report::empty(Verdict::InternalError, Stage::First) }
    }

    /// The report of inputs that can't be obeyed. An input error is one sentence: input, value unless secret, what would be
    /// right.
    pub fn invalid_input(input_errors: impl IntoIterator<Item = String>, sanitizer: &Sanitizer) -> Report {
        let clean = |input_error| sanitizer.line(&Untrusted::new(input_error), MISTAKE_LIMIT);
        Report {
            input_errors: input_errors.into_iter().map(clean).collect(),
            ..Report::empty(Verdict::InvalidInput, Stage::Final)
        }
    }

    /// The report of a gate that was stopped before it knew what to watch.
    pub fn interrupted(by: Signal) -> Report {
        Report::empty(Verdict::Interrupted(by), Stage::Final)
    }

    /// The report of a bug of ours: `known` is what was known when it was met, the first version or a later one.
    pub fn internal_error(mut known: Report, bug: &Untrusted, sanitizer: &Sanitizer) -> Report {
        let is_cut_short = |run: &&mut RunReport| run.end == End::Verdict(Verdict::InternalError);
        for run in known.runs.iter_mut().filter(is_cut_short) {
            run.reason = Sanitized::ours(messages::CUT_SHORT_BY_A_BUG);
            run.next_step = Sanitized::ours(messages::REPORT_THE_BUG);
        }
        let bug = Some(sanitize::cut(&sanitizer.text(bug), BUG_LIMIT));
        Report { verdict: Verdict::InternalError, stage: Stage::Final, bug, ..known }
    }

    fn empty(verdict: Verdict, stage: Stage) -> Report {
        Report {
            version: env!("CARGO_PKG_VERSION"),
            stage,
            verdict,
            runs: Vec::new(),
            waited: Duration::ZERO,
            polls: 0,
            notes: Vec::new(),
            input_errors: Vec::new(),
            bug: None,
            connection: ConnectionReport::default(),
            trace_file: None,
            histories: Vec::new(),
        }
    }
}

impl ConnectionReport {
    /// As it was reported last.
    fn new(story: &ReportContext<'_>) -> ConnectionReport {
        let connection = story.events.iter().rev().find_map(|event| {
            if let Event::Session(SessionNote::Connection(connection)) = &event.event { Some(connection) } else { None }
        });
        let proxy = connection.and_then(|connection| connection.proxy.as_ref());
        ConnectionReport {
            proxy: proxy.map(|via| story.sanitizer.given(&via.address)),
            trusted_by: connection.and_then(|connection| connection.trusted_by).map(TrustSource::name),
        }
    }
}

impl RunReport {
    /// A run by its name, with what its last record says. Each id is sanitized here, once: the service's spelling if it has
    /// answered.
    fn new(
        wanted: &Wanted,
        seen: Option<&LastRecord>,
        link: &dyn Fn(&str, &str) -> Option<Link>,
        sanitizer: &Sanitizer,
    ) -> RunReport {
        let shown = |answered: Option<&Untrusted>, asked: &str| {
            let answered = answered.map(|id| sanitizer.answered_id(id)).filter(|id| !id.is_empty());
            answered.unwrap_or_else(|| sanitizer.id(asked))
        };
        let record = seen.map(|seen| &seen.record);
        let (asked, next_step) = match wanted {
            Wanted::Run(target) => (target.run.as_str(), messages::FIND_THE_KILLER),
            Wanted::Choice { .. } => ("", messages::FIND_THE_KILLER),
            Wanted::Start { .. } => ("", messages::FIND_THE_KILLER_OF_A_START),
        };
        let pipeline_id = shown(record.map(|record| &record.pipeline_id), wanted.pipeline().as_str());
        let run_id = shown(record.map(|record| &record.run_id), asked);
        let id = record.map(|record| record.run_id.clone()).filter(|id| !id.is_empty());
        RunReport {
            link: link(&pipeline_id, &run_id).and_then(Link::harmless),
            id: id.unwrap_or_else(|| Untrusted::new(asked)),
            pipeline_id,
            run_id,
            stand_in: wanted.stand_in(),
            status: record.map(|record| sanitizer.status(&record.status)).unwrap_or_default(),
            started_at: record.and_then(|record| record.created_at).filter(is_rfc3339),
            updated_at: record.and_then(|record| record.updated_at).filter(is_rfc3339),
            duration: seen.and_then(LastRecord::duration),
            end: End::Verdict(Verdict::InternalError),
            reason: Sanitized::ours(messages::KILLED),
            next_step: Sanitized::ours(next_step),
            pipeline: None,
            trace: None,
            logs: None,
            cause: None,
            attempt: None,
            is_retried: false,
            past: None,
        }
    }

    /// The same once its wait has ended.
    fn ended(
        self,
        run: &RunOutcome,
        trace: Option<Sanitized>,
        past: &HashMap<&PipelineId, &History>,
        story: &ReportContext<'_>,
    ) -> RunReport {
        let sanitizer = story.sanitizer;
        let details = story.details.iter().find(|(id, _)| id == run.wanted.pipeline());
        let pipeline = details.map(|(_, details)| PipelineReport::new(details, sanitizer));
        let Explanation { reason, next_step } = messages::explanation(run, pipeline.as_ref(), story.waited, sanitizer);
        // What a run says is no reason for any other end.
        let has_cause = matches!(run.end, End::Verdict(Verdict::Failed | Verdict::TimedOut));
        let cause = trace.as_ref().filter(|_| has_cause).and_then(|trace| cause::of_trace(trace, sanitizer));
        RunReport {
            end: run.end,
            trace: trace.map(Arc::new),
            cause,
            pipeline,
            reason,
            next_step,
            attempt: run.attempt,
            is_retried: run.is_retried,
            past: RunHistory::new(run, past, sanitizer),
            ..self
        }
    }
}

impl Link {
    fn harmless(self) -> Option<Link> {
        Some(match self {
            Link::Run(url) => Link::Run(harmless(&url)?),
            Link::Pipeline(url) => Link::Pipeline(harmless(&url)?),
        })
    }
}

/// An https address, with whatever Markdown, a table or a log could read as an end of it percent-encoded.
fn harmless(url: &str) -> Option<String> {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'*+,;=%".contains(&byte);
    let is_https = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    is_https.then(|| escape::percent_encoded(url, is_kept))
}
