//! A machine that runs short of threads, descriptors, memory or disk: exit code, outputs and files agree all the same, and
//! no old pass is left.

use std::sync::Arc;

use crate::harness::{self, FAILED, Story, StoryOutcome, in_parallel, write};
use crate::stand_in::{On, Reply, Service};

/// What is read afterwards is a whole version: the last one, which agrees with the exit code, or the first.
#[track_caller]
fn agrees(outcome: &StoryOutcome, what: &str) {
    let mut says: Vec<(&str, String)> = Vec::new();
    let mut say = |place, code: Option<String>| says.extend(code.map(|code| (place, code)));
    say("outputs", outcome.outputs.as_ref().and_then(|outputs| outputs.get("exit-code").cloned()));
    say("dotenv", outcome.dotenv.as_ref().and_then(|dotenv| dotenv.get("MAESTRO_GATE_EXIT_CODE").cloned()));
    say("json", outcome.json.as_ref().map(|json| json["exit_code"].to_string()));
    say("output-dir", outcome.output_dir.as_ref().and_then(|folder| folder.get("exit-code").cloned()));
    let code = outcome.code.map(|code| code.to_string());
    for (place, said) in says {
        // Without memory the program may die, at the latest behind its last report: a runner takes that for no pass.
        let has_died = code.is_none() && said != "0";
        assert!(
            said == "70" || Some(&said) == code.as_ref() || has_died,
            "{what}: {place} says {said} of {:?}: {outcome:#?}",
            outcome.code
        );
    }
    if outcome.code != Some(0) {
        for (path, text) in &outcome.files {
            assert!(!text.contains("\"passed\"") && text != "passed", "{what}: {}: {text}", path.display());
        }
        assert!(outcome.junit.as_ref().is_none_or(|cases| cases.iter().any(|case| case.end.is_some())), "{what}");
    }
    let left: Vec<_> = outcome.files.keys().filter(|path| path.to_string_lossy().contains(".partial")).collect();
    assert!(left.is_empty() || outcome.code.is_none(), "{what}: {left:?}");
}

/// A story where an earlier job left the reports of a pass.
#[track_caller]
fn after_a_pass<'s>(service: &'s Service, workspace: &Arc<tempfile::TempDir>) -> Story<'s> {
    Story::in_workspace(service, workspace).play().assert_ended("passed", 0);
    for file in ["output", "summary"] {
        write(&workspace.path().join(file), "");
    }
    Story::in_workspace(service, workspace)
}

#[test]
fn without_a_thread_everything_is_written_all_the_same() {
    // No address space holds such a stack: as if the system had no thread left.
    for (run, verdict, code) in [(harness::SUCCESS, "passed", 0), (FAILED, "failed", 1)] {
        for format in ["text", "json"] {
            let (service, workspace) = (harness::service(), Arc::new(tempfile::tempdir().expect("a folder")));
            let story = after_a_pass(&service, &workspace).runs(&[run]).with("log-format", format);
            let outcome = story.env("RUST_MIN_STACK", (1_u64 << 46).to_string()).play();
            outcome.assert_ended(verdict, code);
            let trace = outcome.trace_file.as_deref().unwrap_or_default();
            assert!(trace.contains(run) && outcome.log().contains("status"), "{outcome:#?}");
        }
    }
}

/// No name under .invalid is ever found (RFC 6761).
#[test]
fn without_a_thread_a_name_is_looked_up_all_the_same() {
    let story = Story::at_address("https://x.invalid").with("timeout", "0").with("log-format", "text");
    let outcome = story.env("RUST_MIN_STACK", (1_u64 << 46).to_string()).play();
    outcome.assert_ended("unreachable", 6);
    assert!(outcome.log().contains("the host name can't be resolved"), "{}", outcome.log());
}

#[test]
fn a_limit_of_threads_changes_no_verdict() {
    // Root may start as many as it likes, so another user does.
    let script = "chmod -R a+rwX \"$OUT\"; cp \"$0\" \"$OUT/gate\"; chmod a+rx \"$OUT/gate\"; cd \"$OUT\"
        exec prlimit --nproc=1 setpriv --reuid 61234 --regid 61234 --clear-groups \"$OUT/gate\" \"$@\"";
    let made = std::process::Command::new("setpriv").args(["--reuid", "61234", "--clear-groups", "true"]).status();
    if !made.is_ok_and(|status| status.success()) {
        return harness::skipped("no other user can be had here");
    }
    let (service, workspace) = (harness::service(), Arc::new(tempfile::tempdir().expect("a folder")));
    let outcome = after_a_pass(&service, &workspace).runs(&[FAILED]).run_by_script(script).start().finish_unchecked();
    agrees(&outcome, "nproc");
    assert_eq!((outcome.code, outcome.verdict()), (Some(1), "failed"), "{}", outcome.everything());
}

#[test]
fn however_little_memory_there_is_the_reports_agree() {
    let rows = [
        ("ulimit -v 8000; exec \"$0\" \"$@\"", "8 MB"),
        ("ulimit -v 16000; exec \"$0\" \"$@\"", "16 MB"),
        ("ulimit -v 24000; exec \"$0\" \"$@\"", "24 MB"),
        ("ulimit -v 28000; exec \"$0\" \"$@\"", "28 MB"),
        ("ulimit -v 32000; exec \"$0\" \"$@\"", "32 MB"),
        ("ulimit -v 36000; exec \"$0\" \"$@\"", "36 MB"),
        ("ulimit -v 40000; exec \"$0\" \"$@\"", "40 MB"),
        ("ulimit -v 48000; exec \"$0\" \"$@\"", "48 MB"),
        ("ulimit -v 64000; exec \"$0\" \"$@\"", "64 MB"),
    ];
    in_parallel(
        &rows,
        |(_, what)| (*what).to_owned(),
        |(script, what)| {
            let (service, workspace) = (harness::service(), Arc::new(tempfile::tempdir().expect("a folder")));
            let story = after_a_pass(&service, &workspace).runs(&[FAILED]).run_by_script(script);
            let before = service.requests().len();
            let outcome = story.start().finish_unchecked();
            // Where not even the program can be started, nobody can take the old reports away.
            if outcome.files.iter().any(|(path, text)| path.ends_with("report.json") && text.contains("\"passed\"")) {
                assert!(outcome.code != Some(0) && service.requests().len() == before, "{what}: {outcome:#?}");
            } else {
                agrees(&outcome, what);
            }
        },
    );
}

#[test]
fn with_few_descriptors_the_reports_agree() {
    let rows: Vec<(&'static str, u32)> = (4..=20)
        .map(|count| (&*Box::leak(format!("ulimit -n {count}; exec \"$0\" \"$@\"").into_boxed_str()), count))
        .collect();
    in_parallel(
        &rows,
        |(_, count)| count.to_string(),
        |(script, count)| {
            let (service, workspace) = (harness::service(), Arc::new(tempfile::tempdir().expect("a folder")));
            let story = after_a_pass(&service, &workspace).with("max-outage", "1s").run_by_script(script);
            let outcome = story.start().finish_unchecked();
            agrees(&outcome, &format!("{count} descriptors"));
            assert!(outcome.json.is_some(), "{count} descriptors: no report: {}", outcome.everything());
            if *count >= 16 {
                assert_eq!((outcome.code, outcome.verdict()), (Some(0), "passed"), "{count}: {}", outcome.everything());
            }
            // With fewer, a report that is written while a slow one is open may find none left: it keeps its first version.
            if outcome.code == Some(0) {
                let is_left_out = outcome.log().contains("report.json: can't be written");
                assert_eq!(outcome.verdict(), "passed", "{count}");
                assert!(is_left_out || outcome.report()["verdict"] == "passed", "{count}: {}", outcome.everything());
            }
        },
    );
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_no_death() {
    let service = harness::service();
    let long = "a line of a long trace\n".repeat(4000);
    service.order(On::Run, Reply::run("FAILED").set("trace", long).forever());
    let script = "ulimit -f 16; exec \"$0\" \"$@\"";
    let outcome = Story::at(&service).runs(&[FAILED]).run_by_script(script).start().finish_unchecked();
    agrees(&outcome, "file size");
    assert_eq!(outcome.code, Some(1), "{}", outcome.log());
    assert!(outcome.log().contains("::json ") || outcome.log().contains("json "), "{}", outcome.log());
    assert_eq!(outcome.report()["verdict"], "internal-error", "the first version stays whole");
    assert!(outcome.summary.as_deref().is_some_and(|page| page.contains("killed")), "{:?}", outcome.summary);
    assert_eq!(outcome.dotenv.as_ref().expect("a report")["MAESTRO_GATE_VERDICT"], "failed", "what fits is written");
}

/// In a file system of its own at the place of the reports; `$SIZE` and `$FILL` come from the environment.
const SMALL_DISK: &str = r#"exec unshare -m sh -c '
    mkdir "$OUT.kept" && mount -t tmpfs -o "$SIZE" none "$OUT" || exit 99
    : >"$OUT/output"; : >"$OUT/summary"
    if test -n "$OLD"; then echo "{\"verdict\": \"passed\"}" >"$OUT/report.json"; cat /dev/zero >"$OUT/fill" 2>/dev/null; fi
    "$0" "$@" & gate=$!
    if test -z "$OLD"; then
        until grep -q "^verdict<<" "$OUT/output"; do sleep 0.05; done
        sleep 0.5
        if test -n "$INODES"; then n=0; while true 2>/dev/null >"$OUT/x$n"; do n=$((n + 1)); done
        else cat /dev/zero >"$OUT/fill" 2>/dev/null; fi
    fi
    wait $gate; code=$?
    rm -f "$OUT"/fill "$OUT"/x*
    cp -a "$OUT/." "$OUT.kept/"; umount "$OUT"; cp -a "$OUT.kept/." "$OUT/"; rm -r "$OUT.kept"
    exit $code' "$0" "$@""#;

#[test]
fn a_disk_that_fills_up_leaves_whole_versions() {
    if !harness::can_mount() {
        return harness::skipped("no file system can be mounted here");
    }
    for (size, inodes) in [("size=128k", ""), ("size=160k", ""), ("size=1m,nr_inodes=40", "1")] {
        let service = harness::service();
        service.order(On::Run, Reply::run("RUNNING").times(3));
        let story =
            Story::at(&service).runs(&[FAILED]).env("SIZE", size).env("INODES", inodes).run_by_script(SMALL_DISK);
        let outcome = story.start().finish_unchecked();
        agrees(&outcome, size);
        assert_eq!(outcome.code, Some(1), "{size}: {}", outcome.everything());
        assert_eq!(outcome.report()["verdict"], "internal-error", "{size}: the first version stays: {}", outcome.log());
        assert!(
            outcome.log().contains("::json ") && outcome.log().contains("can't be written"),
            "{size}: {}",
            outcome.log()
        );
        assert!(outcome.outputs.as_ref().is_some_and(|outputs| outputs.len() >= 14), "{size}: whole records alone");
    }
}

#[test]
fn a_disk_that_is_full_from_the_start_keeps_no_old_pass() {
    if !harness::can_mount() {
        return harness::skipped("no file system can be mounted here");
    }
    let service = harness::service();
    let story = Story::at(&service).runs(&[FAILED]).env("SIZE", "size=64k").env("OLD", "1").run_by_script(SMALL_DISK);
    let outcome = story.start().finish_unchecked();
    agrees(&outcome, "full");
    assert_eq!(outcome.code, Some(1), "{}", outcome.everything());
}

/// A container is often given a single file.
#[test]
fn a_file_that_can_not_be_replaced_is_overwritten_and_said_so() {
    if !harness::can_mount() {
        return harness::skipped("no file system can be mounted here");
    }
    let script = r#"exec unshare -m sh -c '
        echo "{\"verdict\": \"passed\"}" >"$OUT/report.json"; chmod 604 "$OUT/report.json"
        mount --bind "$OUT/report.json" "$OUT/report.json" || exit 99
        exec "$0" "$@"' "$0" "$@""#;
    let service = harness::service();
    let outcome = Story::at(&service).runs(&[FAILED]).run_by_script(script).play();
    outcome.assert_ended("failed", 1);
    assert!(outcome.log().contains("can't be replaced here, so it is overwritten"), "{}", outcome.log());
}
