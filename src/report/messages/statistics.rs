//! Sentences about previous runs: how long runs take, how many passed, and how this one stands among them.

use std::time::Duration;

use super::super::chart::MARK;
use super::super::previous_runs::{PipelineHistory, RunHistory};
use super::count;
use crate::core::{DurationRange, Forecast, History, Streak};

/// Of fewer runs than this it is said how long they took, and not how they spread.
const SPREAD: usize = 5;

/// From which share of the earlier runs on it is worth saying that a run was slower.
const SLOW: (usize, usize) = (9, 10);

/// A length as a person would say it: `20s`, `4m`, `1h 20m`, `2d 3h`.
pub fn about(length: Duration) -> String {
    let seconds = length.as_secs();
    let rounded = |unit: u64| seconds.saturating_add(unit / 2) / unit * unit;
    let two = |large: u64, name: char, small: u64, other: char, total: u64| match (total / large, total % large / small)
    {
        (0, rest) => format!("{rest}{other}"),
        (whole, 0) => format!("{whole}{name}"),
        (whole, rest) => format!("{whole}{name} {rest}{other}"),
    };
    match seconds {
        0..5 => "a few seconds".to_owned(),
        5..55 => two(60, 'm', 1, 's', rounded(5)),
        55..3_570 => format!("{}m", rounded(60) / 60),
        3_570..84_600 => two(3_600, 'h', 60, 'm', rounded(300)),
        _ => two(86_400, 'd', 3_600, 'h', if seconds < 10 * 86_400 { rounded(3_600) } else { rounded(86_400) }),
    }
}

/// `45 of the last 50 runs passed, usually in 12m (mostly 10m to 15m)`.
pub fn history(history: &History) -> String {
    summary(history.passed(), history.runs().len(), history.lengths())
}

/// The same of what a report keeps, with what the mark in its chart means.
pub fn pipeline(past: &PipelineHistory) -> String {
    let mark = match past.current.len() {
        0 => String::new(),
        1 => format!("; {MARK} is this run"),
        _ => format!("; {MARK} are these runs"),
    };
    summary(past.passed, past.of, past.lengths) + &mark
}

fn summary(passed: usize, of: usize, lengths: Option<DurationRange>) -> String {
    let runs = match of {
        1 => format!("the last run {}", if passed == 1 { "passed" } else { "did not pass" }),
        _ => format!("{passed} of the last {of} runs passed"),
    };
    let Some(DurationRange { typical, from, to }) = lengths else { return runs };
    let (usual, from, to) = (about(typical), about(from), about(to));
    let spread = if of >= SPREAD && from != to { format!(" (mostly {from} to {to})") } else { String::new() };
    format!("{runs}, usually in {usual}{spread}")
}

/// `usually 12m, about 4m left`.
pub fn eta(forecast: &Forecast, age: Duration) -> String {
    let typical = about(forecast.typical());
    match (forecast.left(age), forecast.slower_than(age)) {
        (None, _) if age > forecast.typical() => format!("usually {typical}, overdue"),
        (Some(left), Some(slower)) => {
            format!("usually {typical}, slower than {} of {}, about {} left", slower.runs, slower.of, about(left))
        }
        (Some(left), None) => format!("usually {typical}, about {} left", about(left)),
        (None, _) => format!("usually {typical}"),
    }
}

/// How a run stands among the earlier ones, in as many sentences as there is to say; the first with a small letter.
pub fn comparison(past: &RunHistory) -> Vec<String> {
    let mut facts: Vec<String> = past.in_a_row.and_then(row).into_iter().collect();
    if !past.in_a_row.is_some_and(|row| row.passed) {
        facts.push(match &past.last_success {
            Some(last) => {
                let ago = last.ago.map(|ago| format!(" {} ago", about(ago))).unwrap_or_default();
                let run = if last.run_id.is_empty() { String::new() } else { format!(" (run {})", last.run_id) };
                format!("last success{ago}{run}")
            }
            None => format!("no success in the {} before it", count(past.earlier, "run", "runs")),
        });
    }
    facts.extend(past.same_trace.map(|is_same| {
        if is_same { "same trace as the last failure" } else { "different trace from the last failure" }.to_owned()
    }));
    let slow = past.slower.filter(|(runs, of)| *of >= SPREAD && runs * SLOW.1 >= of * SLOW.0);
    facts.extend(slow.map(|(runs, of)| format!("slower than {runs} of {of} runs")));
    facts
}

/// `third failure in a row`; nothing for one success among others.
fn row(row: Streak) -> Option<String> {
    let Streak { passed, runs, at_least, after, after_at_least } = row;
    let (one, other, others) =
        if passed { ("success", "failure", "failures") } else { ("failure", "success", "successes") };
    match (runs, after) {
        (1, 0) => None,
        (1, 1) if !after_at_least => Some(format!("first {one} after a {other}")),
        (1, after) => {
            let at_least = if after_at_least { "at least " } else { "" };
            Some(format!("first {one} after {at_least}{}", count(after, other, others)))
        }
        _ if passed => None,
        _ => Some(format!("{}{} {one} in a row", if at_least { "at least the " } else { "" }, ordinal(runs))),
    }
}

/// `first`, `second`, `10th`.
fn ordinal(number: usize) -> String {
    const WORDS: [&str; 10] =
        ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
    let end = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    WORDS.get(number).map_or_else(|| format!("{number}{end}"), |word| (*word).to_owned())
}
