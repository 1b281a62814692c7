//! The last runs of a pipeline as a picture: a strip of text anywhere, a chart where Mermaid is rendered.
//!
//! Nothing in a picture is untrusted text: all of it is numbers of ours and words of ours.

use std::time::Duration;

use super::previous_runs::{Bar, PipelineHistory};

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chart {
    /// GitHub's own Markdown.
    Mermaid,
    Text,
}

/// What marks the runs of the report.
pub const MARK: char = '▸';

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last runs, oldest first: a block as high as a run was long, `✗` for one that did not pass, `·` where its length is
/// not known. The runs of the report are behind [`MARK`].
pub fn strip(past: &PipelineHistory) -> String {
    let longest = longest(past);
    let sign = |bar: &Bar| match (bar.passed, bar.duration) {
        (false, _) => '✗',
        (true, None) => '·',
        (true, Some(length)) => block(length, longest),
    };
    let current: String = past.current.iter().map(sign).collect();
    let mark = if current.is_empty() { String::new() } else { format!(" {MARK}") };
    past.last.iter().map(sign).chain(mark.chars()).chain(current.chars()).collect()
}

fn bars(past: &PipelineHistory) -> impl Iterator<Item = &Bar> {
    past.last.iter().chain(&past.current)
}

fn longest(past: &PipelineHistory) -> Duration {
    bars(past).filter_map(|bar| bar.duration).max().unwrap_or_default()
}

/// Blocks start at zero, so that twice the height is twice the time.
fn block(length: Duration, longest: Duration) -> char {
    let height = length.as_secs_f64() / longest.as_secs_f64().max(f64::MIN_POSITIVE) * BLOCKS.len() as f64;
    BLOCKS.into_iter().zip(1..).find(|(_, top)| height <= f64::from(*top)).map_or('█', |(block, _)| block)
}

/// A bar chart of the run times in Mermaid: passed runs green, others red, those of the report marked on the axis, with a line
/// at what is usual. `None` with fewer than two lengths: there is nothing to compare.
///
/// Mermaid's `xychart-beta`. Two rows of bars stand in the same places, so that each run has a bar in one of them alone.
pub fn mermaid(past: &PipelineHistory) -> Option<String> {
    if bars(past).filter(|bar| bar.duration.is_some()).count() < 2 {
        return None;
    }
    let (unit, name) = match longest(past).as_secs() {
        0..300 => (1.0, "seconds"),
        300..18_000 => (60.0, "minutes"),
        18_000..432_000 => (3_600.0, "hours"),
        _ => (86_400.0, "days"),
    };
    let number = |length: Duration| format!("{:.1}", length.as_secs_f64() / unit);
    let top = (longest(past).as_secs_f64() / unit * 1.1).ceil().max(1.0);
    // No bar: Mermaid draws one of zero as a stub down to the axis. One far below the axis has a negative height, which no
    // browser draws.
    let none = format!("-{top}");
    let row = |passed: bool| {
        let bar = |bar: &Bar| bar.duration.filter(|_| bar.passed == passed).map_or(none.clone(), number);
        bars(past).map(bar).collect::<Vec<String>>().join(", ")
    };
    let earlier = (1..=past.last.len()).map(|place| place.to_string());
    let current = match past.current.len() {
        1 => vec![format!("\"{MARK}\"")],
        // A place's name must be the only one of its kind.
        several => (1..=several).map(|place| format!("\"{MARK}{place}\"")).collect(),
    };
    let places = earlier.chain(current).collect::<Vec<String>>().join(", ");
    let usual = past.lengths.map(|lengths| vec![number(lengths.typical); bars(past).count()].join(", "));
    let line = usual.map(|usual| format!("    line [{usual}]\n")).unwrap_or_default();
    Some(format!(
        "```mermaid\n\
         %%{{init: {{\"xyChart\": {{\"height\": 300}}, \"themeVariables\": {{\"xyChart\": {{\"plotColorPalette\": \"#2da44e, #cf222e, #8c959f\"}}}}}}}}%%\n\
         xychart-beta\n    \
             title \"Run times, oldest first: green passed, red did not, the line is usual\"\n    \
             x-axis [{places}]\n    \
             y-axis \"{name}\" 0 --> {top}\n    \
             bar [{}]\n    \
             bar [{}]\n\
         {line}```\n",
        row(true),
        row(false),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(lengths: &[(bool, Option<u64>)]) -> PipelineHistory {
        let bar = |(passed, seconds): &(bool, Option<u64>)| Bar {
            passed: *passed,
            started_at: chrono::DateTime::UNIX_EPOCH,
            duration: seconds.map(Duration::from_secs),
        };
        PipelineHistory {
            pipeline_id: super::super::sanitize::Sanitized::ours("p"),
            lengths: None,
            passed: 0,
            of: lengths.len(),
            last: lengths.iter().map(bar).collect(),
            current: Vec::new(),
        }
    }

    #[test]
    fn the_runs_of_the_report_are_marked() {
        let mut past = past(&[(true, Some(600)), (true, Some(540))]);
        past.current = self::past(&[(false, Some(300))]).last;
        assert_eq!(strip(&past), "██ ▸✗");
        let chart = mermaid(&past).expect("a chart");
        assert!(chart.contains("x-axis [1, 2, \"▸\"]"), "{chart}");
        assert!(chart.contains("bar [10.0, 9.0, -11]") && chart.contains("bar [-11, -11, 5.0]"), "{chart}");
        past.current = self::past(&[(false, Some(300)), (true, Some(1200))]).last;
        assert_eq!(strip(&past), "▄▄ ▸✗█");
        assert!(mermaid(&past).expect("a chart").contains("x-axis [1, 2, \"▸1\", \"▸2\"]"));
    }

    #[test]
    fn a_strip_has_a_sign_for_each_run_as_high_as_it_was_long() {
        let all =
            [(true, Some(0)), (true, Some(60)), (false, Some(5)), (true, Some(480)), (true, None), (true, Some(240))];
        assert_eq!(strip(&past(&all)), "▁▁✗█·▄");
        assert_eq!(strip(&past(&[(true, Some(0)), (true, Some(0))])), "▁▁");
        assert_eq!(strip(&past(&[])), "");
        assert_eq!(strip(&past(&[(true, Some(u64::MAX)), (true, Some(1))])), "█▁");
    }

    #[test]
    fn a_chart_is_numbers_in_a_fence_that_nothing_closes() {
        let chart = mermaid(&past(&[(true, Some(600)), (false, Some(30)), (true, None)])).expect("a chart");
        assert!(chart.contains("bar [10.0, -11, -11]") && chart.contains("bar [-11, 0.5, -11]"), "{chart}");
        assert!(chart.contains("y-axis \"minutes\" 0 --> 11") && chart.contains("x-axis [1, 2, 3]"), "{chart}");
        assert_eq!(chart.matches("```").count(), 2);
        assert_eq!(mermaid(&past(&[(true, Some(600))])), None);
    }
}
