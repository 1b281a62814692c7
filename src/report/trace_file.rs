//! The trace file: the whole cleaned trace of each run, and its logs where they are fetched.

use std::sync::Arc;

use super::sanitize::Sanitized;
use super::{Report, RunReport, Stage, messages};

/// A run's part of the file; its logs follow, if any were fetched.
pub struct Section {
    head: String,
    trace: Option<Arc<Sanitized>>,
}

impl Section {
    pub fn new(run: &RunReport) -> Section {
        let status = if run.status.is_empty() { "never seen".to_owned() } else { format!("status {}", run.status) };
        let head = format!("== {}: {} ({status})\n", messages::run(run), run.end.name());
        match &run.trace {
            Some(trace) if !trace.trim().is_empty() => Section { head, trace: Some(Arc::clone(trace)) },
            _ => Section { head: head + "no trace\n", trace: None },
        }
    }

    /// What it is made of, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let trace = self.trace.iter().flat_map(|trace| [trace.trim_end_matches('\n'), "\n"]);
        std::iter::once(self.head.as_str()).chain(trace)
    }
}

/// What stands between a run's trace and its logs.
pub fn logs_head(run: &RunReport) -> String {
    format!("-- logs of {}\n", messages::run(run))
}

/// The file without logs: its first version, and its last where no run was waited for.
pub fn whole(report: &Report) -> Vec<Section> {
    match report.stage {
        Stage::Final if !report.runs.is_empty() => report.runs.iter().map(Section::new).collect(),
        Stage::First | Stage::Final => {
            let head = format!("{}: {}\n", report.verdict.name(), messages::headline(report));
            vec![Section { head, trace: None }]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{End, PipelineId, RunId, Target, Verdict};
    use crate::report::sanitize::Sanitizer;

    fn text(report: &Report) -> String {
        whole(report).iter().flat_map(Section::texts).collect()
    }

    #[test]
    fn the_first_version_says_that_the_gate_was_killed_and_the_last_holds_every_trace_whole() {
        let target = Target { pipeline: PipelineId::new("p").expect("an id"), run: RunId::new("r").expect("an id") };
        let mut report = Report::first(&[target.clone(), target], &|_, _| None, &Sanitizer::new());
        assert_eq!(
            text(&report),
            "internal-error: the gate ended before it could report: killed, out of memory, or a bug\n"
        );
        report.stage = Stage::Final;
        report.runs[0].end = End::Verdict(Verdict::Failed);
        report.runs[0].status = "FAILED".into();
        report.runs[0].trace = Some(Arc::new(Sanitized::ours("x\n".repeat(100_000))));
        let whole = text(&report);
        assert!(whole.starts_with("== run r of pipeline p: failed (status FAILED)\nx\nx\n"), "{}", &whole[..80]);
        assert!(whole.ends_with("x\n== run r of pipeline p: internal-error (never seen)\nno trace\n"));
        assert_eq!(whole.matches("x\n").count(), 100_000);
    }
}
