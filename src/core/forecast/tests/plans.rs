//! Whole plans, number by number: `tests/golden/forecast.txt`. The rhythm of a run's polls is the same on every machine and
//! changes only on purpose. `UPDATE_GOLDEN=1` rewrites the file; read the difference before committing it.

use std::fmt::Write as _;

use super::*;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/forecast.txt");

fn failed(lengths: &[f64]) -> Vec<PastRun> {
    passed(lengths).into_iter().map(|run| PastRun { passed: false, ..run }).collect()
}

/// `(name, past, age at the start)`
fn cases() -> Vec<(&'static str, Vec<PastRun>, f64)> {
    let peaks: Vec<f64> = (0..20).map(|n| if n % 3 == 0 { 400.0 } else { 1000.0 } + 2.0 * f64::from(n)).collect();
    let slower: Vec<f64> = (0..24).map(|n| if n < 6 { 600.0 } else { 300.0 } + 3.0 * f64::from(n * 7 % 5)).collect();
    let mut with_failures = passed(&[300.0, 310.0, 290.0, 305.0, 330.0, 280.0, 301.0, 299.0]);
    with_failures.extend(failed(&[20.0, 25.0]));
    let odd = [30.0, 100.0, 400.0, 2000.0, 50.0, 60.0, 700.0];
    let overdue = Predictive::new(&steady(120.0)).exceeded_by(OVERDUE);
    vec![
        ("twenty runs of 900 s", steady(900.0), 0.0),
        ("twenty runs of 900 s, late", steady(900.0), 840.0),
        ("twenty runs of 900 s, later than most", steady(900.0), 985.0),
        ("twenty runs of 120 s", steady(120.0), 0.0),
        ("twenty runs of 120 s, nearly overdue", steady(120.0), overdue - 1.5),
        ("twenty runs of 120 s, as good as overdue", steady(120.0), overdue - 0.5),
        ("twenty runs of 20 s", steady(20.0), 0.0),
        ("three runs of 600 s", passed(&[600.0, 610.0, 620.0]), 0.0),
        ("two peaks", passed(&peaks), 0.0),
        ("slower since six runs", passed(&slower), 0.0),
        ("with failures", with_failures, 0.0),
        ("failures alone", failed(&[200.0, 210.0, 220.0, 260.0]), 0.0),
        ("no rule at all", passed(&odd), 0.0),
    ]
}

/// The plan of one run, as lines of numbers.
fn plan(past: &[PastRun], start: f64) -> Vec<(&'static str, Vec<f64>)> {
    let forecast = Forecast::new(past, seconds(start), 7).expect("enough to learn from");
    let typical = forecast.typical().as_secs_f64();
    let ages: Vec<f64> = (0..=8).map(|n| start + f64::from(n) * typical / 5.0).collect();
    let left = |age: &f64| forecast.left(seconds(*age)).map_or(-1.0, |left| left.as_secs_f64());
    vec![
        ("typical", vec![typical]),
        ("polls", poll_times(&forecast, seconds(start), seconds(start + typical * 1.6))),
        (
            "gaps",
            ages.iter().skip(1).filter_map(|age| forecast.wait(seconds(*age))).map(|gap| gap.as_secs_f64()).collect(),
        ),
        ("left", ages.iter().map(left).collect()),
    ]
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever changes a plan on purpose has the file rewritten")]
fn the_plans_are_those_that_were_written_down() {
    let mut found = String::new();
    for (name, past, start) in cases() {
        let _ = writeln!(found, "# {name}");
        for (what, numbers) in plan(&past, start) {
            let numbers: Vec<String> = numbers.iter().map(|number| format!("{number:.2}")).collect();
            let _ = writeln!(found, "{what} {}", numbers.join(" "));
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &found).expect("the file can be written");
    }
    let written = std::fs::read_to_string(GOLDEN).expect("the file can be read");
    assert_eq!(found.lines().count(), written.lines().count());
    for (found, written) in found.lines().zip(written.lines()) {
        let words = found.split(' ').zip(written.split(' '));
        // Mathematical functions differ in the last bit from one system to the next.
        let is_same = |(a, b): (&str, &str)| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => (a - b).abs() < 0.025,
            _ => a == b,
        };
        let is_alike = found.split(' ').count() == written.split(' ').count() && words.into_iter().all(is_same);
        assert!(is_alike, "written down: {written}\nfound:        {found}");
    }
}

#[test]
fn the_helpers_are_exact() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[1.0, 2.0]), Some(1.5));
    assert_eq!(median(&[1.0, 2.0, 9.0]), Some(2.0));
    assert_eq!(between((0.0, 1.0), (2.0, 5.0), 0.5), 2.0);
    assert_eq!(between((1.0, 1.0), (3.0, 5.0), 3.0), 5.0);
    assert_eq!(between((1.0, 5.0), (1.0, 9.0), 1.0), 5.0, "of two points above each other, the first");
    for (typical, expected) in [(1, 20), (1200, 20), (1500, 25), (3600, 60), (90_000, 60)] {
        assert_eq!(widest(Duration::from_secs(typical)), Duration::from_secs(expected), "{typical}");
    }
    // Thirty days are a long run, and more a mistake.
    let long = |more: u64| {
        let duration = Duration::from_secs(2_592_000) + Duration::from_nanos(more);
        vec![PastRun { duration, passed: true }; 3]
    };
    assert!(Forecast::new(&long(0), Duration::ZERO, 7).is_some());
    assert!(Forecast::new(&long(1), Duration::ZERO, 7).is_none());
}

#[test]
fn a_run_as_old_as_nine_of_ten_is_slower_than_they_and_one_as_old_as_the_tenth_not_than_it() {
    let ten: Vec<f64> = (1..=10).map(|n| 60.0 * f64::from(n)).collect();
    let of_ten = forecast(&passed(&ten));
    assert_eq!(of_ten.slower_than(seconds(540.0)), None);
    assert_eq!(of_ten.slower_than(seconds(540.001)), Some(SlowerThan { runs: 9, of: 10 }));
    assert_eq!(of_ten.slower_than(seconds(600.0)), Some(SlowerThan { runs: 9, of: 10 }));
    let of_five = forecast(&passed(&ten[..5]));
    assert_eq!(of_five.slower_than(seconds(299.0)), None);
    assert_eq!(of_five.slower_than(seconds(301.0)), Some(SlowerThan { runs: 5, of: 5 }));
}
