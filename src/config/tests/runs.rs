//! Selecting runs.

use chrono::DateTime;

use super::*;
use crate::core::{Freshness, IfRunning, PipelineId, RunId, Target, Wanted};

fn sign_in() -> Story {
    story().env(&[("DADOSFERA_ACCESS_TOKEN", "token")])
}

fn selected(args: &[&str]) -> Vec<String> {
    let config = sign_in().args(args).config();
    config.wanted.iter().map(|wanted| format!("{}/{}", wanted.pipeline(), wanted.run())).collect()
}

fn refused(args: &[&str]) -> String {
    sign_in().args(args).input_error()
}

#[test]
fn entries_are_separated_by_commas_blanks_and_line_breaks() {
    let expected = ["p/a", "p/b", "p/c", "p/d", "p/e"];
    for entries in ["a,b,p/c,d,e", "a b\tp/c\nd\r\ne", " a , b,\np/c\n\nd e ", "a\u{c}b p/c d e"] {
        assert_eq!(selected(&["--pipeline-id", "p", "--run-id", entries]), expected, "{entries:?}");
    }
    assert_eq!(selected(&["--pipeline-id=p", "--run-id=a", "--run-id=b,p/c", "--run-id", "d e"]), expected);
}

#[test]
fn an_id_may_be_anything_visible() {
    let id = "manual__2024-12-18T10:30:00+00:00";
    assert_eq!(selected(&["--pipeline-id", "p", "--run-id", id]), [format!("p/{id}")]);
    assert_eq!(selected(&["--run-id=ação/…?#%2e"]), ["ação/…?#%2e"]);
}

#[test]
fn a_comma_without_an_entry_on_one_side_is_an_input_error() {
    for entries in ["a,", ",a", "a,,b", "a, ,b", ",", "a,\n,b"] {
        let input_error = refused(&["--pipeline-id", "p", "--run-id", entries]);
        assert!(input_error.starts_with("run-id") && input_error.contains("comma"), "{entries:?}: {input_error}");
    }
    assert!(refused(&["--run-id=r/a", "--run-id="]).contains("one of its values is empty"));
    assert!(refused(&["--run-id=r/a,", "--run-id=r/b"]).contains("ends with a comma"));
}

#[test]
fn an_entry_with_half_of_it_missing_is_an_input_error() {
    assert!(refused(&["--run-id", "/r"]).contains("no pipeline before"));
    assert!(refused(&["--run-id", "p/"]).contains("no run after"));
    assert!(refused(&["--run-id", "/"]).contains("no run after"));
    assert!(refused(&["--run-id", "a/b/c"]).contains("more than one"));
}

#[test]
fn every_wrong_entry_is_reported() {
    let input_errors = sign_in().args(&["--run-id", "/r p/ p/.. ok/ok a/\u{7} ../r"]).input_errors();
    assert_eq!(input_errors.len(), 5, "{input_errors:#?}");
    for (input_error, entry) in input_errors.iter().zip(["/r", "p/", "p/..", "a/\u{7}", "../r"]) {
        assert!(input_error.starts_with(&format!("run-id \"{entry}\" (--run-id): ")), "{input_error}");
    }
    let long = format!("p/{}", "x".repeat(257));
    assert!(refused(&["--run-id", &long]).contains("256"));
}

#[test]
fn only_byte_identical_entries_are_one() {
    assert_eq!(selected(&["--pipeline-id=p", "--run-id=a,b,a a"]), ["p/a", "p/b"]);
    // The same run, but written differently: watched twice rather than guessed about.
    assert_eq!(selected(&["--pipeline-id=p", "--run-id=a,p/a,A"]), ["p/a", "p/a", "p/A"]);
}

#[test]
fn the_pipeline_is_needed_unless_every_entry_names_its_own() {
    assert_eq!(selected(&["--run-id", "p/a,q/b"]), ["p/a", "q/b"]);
    assert!(refused(&["--run-id", "p/a,b"]).starts_with("pipeline-id: required"));
    assert!(refused(&["--pipeline-id", "p"]).starts_with("run-id: required"));
    assert_eq!(sign_in().input_errors().len(), 2);
    // A wrong entry that names its own pipeline does not ask for another.
    assert!(refused(&["--run-id", "p/"]).starts_with("run-id"));
}

#[test]
fn several_pipelines_are_for_what_is_chosen_and_not_for_a_run_that_is_named() {
    for several in [&["--pipeline-id=p,q"][..], &["--pipeline-id=p", "--pipeline-id=q"], &["--pipeline-id=p q"]] {
        let input_error = refused(&[several, &["--run-id=r"]].concat());
        assert!(
            input_error.starts_with("run-id \"r\"") && input_error.contains("any of the pipelines"),
            "{input_error}"
        );
        let chosen = [several, &["--run-id=latest,q/r,last-success", "--max-age=1d"]].concat();
        assert_eq!(selected(&chosen), ["p/latest", "q/latest", "q/r", "p/last-success", "q/last-success"]);
    }
    assert_eq!(
        refused(&["--pipeline-id=p,q/r", "--run-id=latest", "--max-age=any"]).split(' ').next(),
        Some("pipeline-id")
    );
    assert_eq!(selected(&["--pipeline-id=p", "--pipeline-id=p", "--run-id=r"]), ["p/r"]);
    assert!(refused(&["--pipeline-id=p,", "--run-id=r"]).contains("comma"));
    assert!(refused(&["--pipeline-id=a/b", "--run-id=r"]).contains("not a pipeline id"));
}

#[test]
fn what_is_chosen_needs_a_max_age_and_what_is_named_may_have_one() {
    for entry in ["latest", "last-success", "p/latest", "P/last-success"] {
        let input_error = refused(&["--pipeline-id=p", "--run-id", entry]);
        assert!(
            input_error.starts_with("max-age: required") && input_error.contains(&format!("`{entry}`")),
            "{input_error}"
        );
        for age in ["any", "24h", "3650d", "1s"] {
            let config = sign_in().args(&["--pipeline-id=p", "--run-id", entry, "--max-age", age]).config();
            assert!(matches!(config.wanted[..], [Wanted::Choice { .. }]), "{entry}");
        }
    }
    for age in ["", "0", "3651d", "ANY", "forever", "1h30"] {
        let input_errors = sign_in().args(&["--pipeline-id=p", "--run-id=latest", "--max-age", age]).input_errors();
        assert!(input_errors[0].starts_with("max-age"), "{input_errors:?}");
    }
    let freshness = |args: &[&str]| sign_in().args(&[&["--run-id=p/r"][..], args].concat()).config().rules.freshness;
    let any = Freshness::default();
    assert_eq!(freshness(&[]), any);
    assert_eq!(freshness(&["--max-age=any"]), any);
    let max_age = Some(Duration::from_secs(5400));
    assert_eq!(freshness(&["--max-age=90m"]), Freshness { max_age, ..any });
    // The start of the run is a limit of its own, with every kind of run-id, and enough for what is chosen.
    let started_after = DateTime::from_timestamp(1_705_298_400, 0);
    let both = Freshness { max_age, started_after };
    assert_eq!(freshness(&["--max-age=90m", "--started-after=2024-01-15T03:00:00-03:00"]), both);
    for run in ["p/r", "p/latest", "p/last-success"] {
        let only = sign_in().args(&["--run-id", run, "--started-after=1705298400"]).config().rules.freshness;
        assert_eq!(only, Freshness { started_after, ..any }, "{run}");
    }
    // Only the whole word is one.
    assert_eq!(
        selected(&["--pipeline-id=p", "--run-id=Latest,latest_,p/LATEST"]),
        ["p/Latest", "p/latest_", "p/LATEST"]
    );
}

#[test]
fn targets_carry_the_ids_as_given() {
    let config = sign_in().args(&["--run-id", "P-1/R_2"]).config();
    let expected = Target { pipeline: PipelineId::new("P-1").unwrap(), run: RunId::new("R_2").unwrap() };
    assert_eq!(config.wanted, [Wanted::Run(expected)]);
}

#[test]
fn trigger_starts_each_pipeline_and_excludes_what_makes_no_sense_with_it() {
    let started = |args: &[&str]| {
        let config = sign_in().args(&[&["--trigger", "--pipeline-id=p,q"][..], args].concat()).config();
        let start = |wanted: &Wanted| match wanted {
            Wanted::Start { pipeline, if_running } => (pipeline.to_string(), *if_running),
            Wanted::Run(_) | Wanted::Choice { .. } => panic!("{wanted:?}"),
        };
        config.wanted.iter().map(start).collect::<Vec<_>>()
    };
    for (args, mode) in [
        (&[][..], IfRunning::Queue),
        (&["--if-running=queue"], IfRunning::Queue),
        (&["--if-running=attach"], IfRunning::Attach),
        (&["--if-running=fail", "--max-age=1h"], IfRunning::Fail),
    ] {
        assert_eq!(started(args), [("p".to_owned(), mode), ("q".to_owned(), mode)]);
    }
    assert!(refused(&["--trigger"]).starts_with("pipeline-id: required"));
    assert!(
        refused(&["--trigger", "--pipeline-id=p", "--run-id=r"])
            .starts_with("run-id \"r\" (--run-id): cannot be used with trigger")
    );
    assert!(refused(&["--trigger", "--pipeline-id=p", "--timeout=0s"]).starts_with("timeout \"0s\""));
    assert!(
        refused(&["--trigger", "--pipeline-id=p", "--if-running=wait"]).contains("must be one of: queue, attach, fail")
    );
    assert!(refused(&["--trigger=maybe", "--pipeline-id=p", "--run-id=r"]).starts_with("trigger \"maybe\""));
    // Told not to: as if it were not there.
    assert_eq!(selected(&["--trigger=false", "--if-running=fail", "--run-id=p/r", "--timeout=0"]), ["p/r"]);
}

#[test]
fn retries_are_a_number_up_to_five_and_need_trigger() {
    let retries = |args: &[&str]| {
        let start = ["--trigger", "--pipeline-id=p"];
        sign_in().args(&[&start[..], args].concat()).config().rules.retries
    };
    assert_eq!(retries(&[]), 0);
    for (text, number) in [("0", 0), ("1", 1), (" 5 ", 5)] {
        assert_eq!(retries(&["--retries", text]), number);
    }
    for wrong in ["6", "-1", "+1", "1.0", "two", "01", "1x", "٣", "true"] {
        let input_error = refused(&["--trigger", "--pipeline-id=p", &format!("--retries={wrong}")]);
        assert!(input_error.contains("must be one of: 0, 1, 2, 3, 4, 5"), "{wrong}: {input_error}");
    }
    for entry in ["--run-id=p/r", "--run-id=p/latest"] {
        let input_error = refused(&[entry, "--max-age=1h", "--retries=1"]);
        assert!(input_error.starts_with("retries \"1\" (--retries): needs trigger"), "{input_error}");
    }
    // None is what there is without it.
    assert_eq!(selected(&["--retries=0", "--run-id=p/r"]), ["p/r"]);
}

#[test]
fn two_spellings_of_one_pipeline_are_an_input_error_where_each_would_start_it() {
    for (given, again) in [("a_b,a-b", "a-b"), ("P q p", "p"), ("x A-b-C x a_B_c", "a_B_c")] {
        let input_error = refused(&["--trigger", "--pipeline-id", given]);
        let expected =
            format!("pipeline-id \"{again}\" (--pipeline-id): names the same pipeline as an entry before it");
        assert!(input_error.starts_with(&expected), "{given}: {input_error}");
    }
    let twice = sign_in().args(&["--trigger", "--pipeline-id=a_b", "--pipeline-id=a-b", "--run-id=r"]).input_errors();
    assert_eq!(twice.len(), 2, "each mistake is told: {twice:?}");
    // Byte for byte the same is one, other pipelines are others, and what is only watched is started by nobody.
    assert_eq!(selected(&["--trigger", "--pipeline-id=p,p,q_p,q"]), ["p/trigger", "q_p/trigger", "q/trigger"]);
    assert_eq!(selected(&["--pipeline-id=a_b,a-b", "--run-id=latest", "--max-age=any"]), ["a_b/latest", "a-b/latest"]);
}

/// `pipeline-id` decides which pipeline it is: no entry of `run-id`, from wherever it comes, says another.
#[test]
fn a_pipeline_that_is_given_is_fixed() {
    for (given, entries, wrong) in [
        ("p", "q/r", "q/r"),
        ("p", "a,q/r", "q/r"),
        ("p", "p/a,q/latest", "q/latest"),
        ("p", "q/last-success", "q/last-success"),
        ("p,q", "p/a q/b latest o/c", "o/c"),
        ("a-b", "ab/r", "ab/r"),
        ("é", "É/r", "É/r"),
    ] {
        let input_errors =
            sign_in().args(&["--pipeline-id", given, "--run-id", entries, "--max-age=any"]).input_errors();
        let only = input_errors.iter().any(|input_error| {
            input_error
                .starts_with(&format!("run-id \"{wrong}\" (--run-id): names a pipeline that is not in pipeline-id"))
        });
        assert!(only, "{given} {entries}: {input_errors:?}");
    }
    // From two places as from one: a project's variable beside a component's input.
    let elsewhere = sign_in().args(&["--pipeline-id", "p"]).env(&[("MAESTRO_RUN_ID", "q/r")]);
    assert!(elsewhere.input_error().starts_with("run-id \"q/r\" (MAESTRO_RUN_ID): names a pipeline that is not"));
    let elsewhere = sign_in().args(&["--run-id", "q/r"]).env(&[("MAESTRO_PIPELINE_ID", "p")]);
    assert!(elsewhere.input_error().contains("names a pipeline that is not"));
    // The same pipeline in another spelling is the same, and is asked for in the spelling that was fixed.
    for (given, entries, runs) in
        [("a-b", "a_b/r A-B/s A_b/latest", &["a-b/r", "a-b/s", "a-b/latest"][..]), ("p,q", "q/r P/s", &["q/r", "p/s"])]
    {
        assert_eq!(selected(&["--pipeline-id", given, "--run-id", entries, "--max-age=any"]), runs);
    }
}

#[test]
fn an_invisible_character_in_an_id_is_named() {
    for (entry, name) in [
        ("r\u{200b}", "U+200B"),
        ("p\u{200d}/r", "U+200D"),
        ("p/r\u{2060}", "U+2060"),
        ("\u{202e}r", "U+202E"),
        ("\u{a0}r", "U+00A0"),
        ("r\u{a0}s", "U+00A0"),
        ("r\u{2028}s", "U+2028"),
        ("r\u{3000}", "U+3000"),
        ("r\u{1}", "U+0001"),
        ("late\u{ad}st", "U+00AD"),
        ("latest\u{200b}", "U+200B"),
    ] {
        let input_error = refused(&["--pipeline-id=p", "--run-id", &format!("ok {entry}")]);
        assert!(input_error.starts_with(&format!("run-id \"{entry}\" (--run-id): contains")), "{input_error}");
        assert!(input_error.contains(name), "{input_error}");
    }
    let input_error = refused(&["--pipeline-id=p\u{200b}", "--run-id=r"]);
    assert!(input_error.starts_with("pipeline-id") && input_error.contains("U+200B"), "{input_error}");
    // The same id, visible or not, is not two: a mark of order at the start is dropped.
    assert_eq!(selected(&["--pipeline-id=\u{feff}p", "--run-id=\u{feff}r"]), ["p/r"]);
}

#[test]
fn an_expression_that_was_not_evaluated_is_no_id() {
    for entry in ["${{ inputs.run-id }}", "$(params.run)", "${RUN}", "$RUN", "null", "None", "undefined", "<run-id>"] {
        let input_error = refused(&["--pipeline-id=p", "--run-id", entry]);
        assert!(input_error.starts_with(&format!("run-id \"{entry}\" (--run-id): this is")), "{input_error}");
        let input_error = refused(&["--pipeline-id", entry, "--run-id=r"]);
        assert!(input_error.starts_with(&format!("pipeline-id \"{entry}\" (--pipeline-id): this is")), "{input_error}");
    }
    for entry in ["p/null", "null/r", "undefined/latest", "p/$RUN", "$P/r", "${{ a }}/r", "a,null", "nil b"] {
        let input_error =
            sign_in().args(&["--run-id", entry, "--max-age=any", "--pipeline-id=a"]).input_errors().concat();
        assert!(input_error.contains(": this is "), "{input_error}");
    }
}
