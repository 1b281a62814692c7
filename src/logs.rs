//! After the verdict: the run's logs, as far as they come in half a minute, what they say of the cause, and the trace file.

use std::time::Duration;

use crate::api::Client;
use crate::config::Logs;
use crate::core::{End, Untrusted, Verdict};
use crate::finalize::Finalizer;
use crate::output::{TraceFile, WriteError};
use crate::panic_hook;
use crate::report::cause::{self, CauseFinder};
use crate::report::sanitize::{self, Sanitized};
use crate::report::{Note, NoteLevel, Report, RunReport, messages, trace_file};

/// For the logs of all runs together, beside the timeout (docs/reference.md#log-and-summary).
const LIMIT: Duration = Duration::from_secs(30);

/// What the log shows of a run's logs: their end.
const TAIL: usize = 16 * 1024;

/// How long the file system may take to finish the trace file.
const FILE: Duration = Duration::from_secs(5);

/// Where logs come from, and which of them are wanted.
pub struct Source {
    pub client: Client,
    pub which: Logs,
    /// The time limit of the wait: at zero, the logs of a run that is still going are not fetched.
    pub timeout: Duration,
}

/// Fetches the logs that are wanted, and writes the trace file again with them. Best effort: what fails is a note, the
/// verdict stands. Without a source there are no logs.
pub async fn gather(report: &mut Report, logs: Option<&Source>, finalizer: &mut Finalizer) {
    panic_hook::panic_if_provoked("logs", "");
    let wants = |source: &Source, run: &RunReport| !run.run_id.is_empty() && is_wanted(source, run);
    let any = logs.is_some_and(|source| report.runs.iter().any(|run| wants(source, run)));
    // Without logs it is complete, unless it is a pipe, which is written once.
    let trace_index = finalizer.delivery.trace_index().filter(|index| any || finalizer.delivery.is_stream(*index));
    let mut file = trace_index.map(|index| finalizer.delivery.start_trace(index));
    let until = finalizer.clock.elapsed() + LIMIT;
    let mut notes = Vec::new();
    if let Some(file) = file.as_mut().filter(|_| report.runs.is_empty()) {
        trace_file::whole(report).iter().for_each(|section| file.push(section.texts().collect()));
    }
    let causes: Vec<Option<Sanitized>> = report.runs.iter().map(|run| run.cause.clone()).collect();
    for run in &mut report.runs {
        if let Some(file) = &mut file {
            file.push(trace_file::Section::new(run).texts().collect());
        }
        let wanted = |source: &&Source| wants(source, run) && finalizer.grace_period.first_signal().is_none();
        let Some(source) = logs.filter(wanted) else { continue };
        let fetched = fetch(run, &source.client, until, &mut file, finalizer).await;
        // The log's end shows them.
        finalizer.closing = None;
        notes.extend(fetched.err());
    }
    notes.into_iter().for_each(|note| finalizer.add_note(report, note));
    finalizer.documents_with_logs(report, &causes).await;
    if let (Some(file), Some(index)) = (file, trace_index) {
        let written = finalizer.wait(file.finish(), FILE).await.unwrap_or(Err(WriteError::NotInTime));
        let Err(trouble) = written else { return };
        let missed = finalizer.delivery.slots[index].missed.clone();
        let warning = || finalizer.sanitizer.line(&Untrusted::new(format!("trace-file: {trouble}")), usize::MAX);
        let warning = missed.unwrap_or_else(warning);
        finalizer.warn(report, warning);
    }
}

/// Streams one run's logs into the trace file, and keeps their end and what they say of the cause.
async fn fetch(
    run: &mut RunReport,
    client: &Client,
    until: Duration,
    file: &mut Option<TraceFile>,
    finalizer: &mut Finalizer,
) -> Result<(), Note> {
    if let Some(file) = file {
        file.push(trace_file::logs_head(run));
    }
    let sanitizer = finalizer.sanitizer.clone();
    // Asking may mean signing in again; a stream knows the secrets of its beginning, so it begins with the first bytes.
    let mut stream = None;
    let mut tail = Tail::default();
    // The logs of a run that is still going may name an error that it gets over.
    let wants_cause = run.cause.is_none() && run.end == End::Verdict(Verdict::Failed);
    let mut finder = wants_cause.then(CauseFinder::default);
    let mut keep = |piece: Sanitized| {
        tail.push(&piece);
        if let Some(finder) = &mut finder {
            finder.push(&piece);
        }
        if let Some(file) = file {
            file.stream(piece.to_string());
        }
    };
    let id = run.id.clone();
    let mut sink = |bytes: &[u8]| {
        let stream = stream.get_or_insert_with(|| sanitizer.stream());
        keep(stream.push(bytes));
    };
    let left = until.saturating_sub(finalizer.clock.elapsed());
    let fetched = finalizer.wait(Box::pin(client.logs(&id, &mut sink)), left).await;
    if let Some(stream) = stream {
        keep(stream.finish());
    }
    run.logs = tail.end();
    if let Some(finder) = finder {
        run.cause = finder.finish(cause::TextSource::Logs, &finalizer.sanitizer);
    }
    let said = match fetched {
        Some(Ok(())) => return Ok(()),
        Some(Err(failure)) => messages::failure(&failure, &finalizer.sanitizer),
        None => Sanitized::ours("read the run's logs: not all of them came in time"),
    };
    Err(Note { at: finalizer.clock.elapsed(), weight: NoteLevel::Plain, text: said })
}

fn is_wanted(source: &Source, run: &RunReport) -> bool {
    match (source.which, run.end) {
        (Logs::Never, _) => false,
        (Logs::OnFailure | Logs::Always, End::Verdict(Verdict::TimedOut)) if source.timeout.is_zero() => false,
        (Logs::OnFailure, end) => matches!(end, End::Verdict(Verdict::Failed | Verdict::TimedOut)),
        // Any other end means that the service did not show the run.
        (Logs::Always, end) => {
            matches!(end, End::Verdict(Verdict::Passed | Verdict::Stale | Verdict::Failed | Verdict::TimedOut))
        }
    }
}

/// The last bytes of a text that comes in pieces.
#[derive(Default)]
struct Tail(String);

impl Tail {
    fn push(&mut self, piece: &str) {
        self.0.push_str(piece);
        if self.0.len() > 2 * TAIL {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        self.0 = sanitize::tail(&self.0, usize::MAX, TAIL).to_owned();
    }

    fn end(mut self) -> Option<Sanitized> {
        self.shorten();
        (!self.0.trim().is_empty()).then(|| Sanitized::ours(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sixteen_kib_are_kept_from_the_start_of_a_line() {
        let mut tail = Tail::default();
        let whole: String = (0..20_000).map(|n| format!("line {n} é\n")).collect();
        for piece in whole.as_bytes().chunks(1000) {
            tail.push(&String::from_utf8_lossy(piece));
        }
        let end = tail.end().expect("text");
        assert!(end.len() <= TAIL && end.len() > TAIL - 20, "{}", end.len());
        assert!(end.starts_with("line ") && end.ends_with("line 19999 é\n"), "{}", &end[..20]);
    }

    #[test]
    fn little_is_kept_whole_and_nothing_is_nothing() {
        let mut tail = Tail::default();
        tail.push("one\ntwo");
        assert_eq!(tail.end(), Some(Sanitized::ours("one\ntwo")));
        assert_eq!(Tail::default().end(), None);
    }
}
