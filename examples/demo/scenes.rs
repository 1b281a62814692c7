//! The scenes: what each one shows, the arguments of the gate, and the verdict and exit code that the reference gives it.

pub struct Scene {
    /// For `--scene`.
    pub name: &'static str,
    /// What happens, and what to look for.
    pub about: &'static str,
    pub arguments: &'static [&'static str],
    pub verdict: &'static str,
    pub exit_code: i32,
    /// Whether the tour shows the job summary too.
    pub with_summary: bool,
}

pub const SCENES: [Scene; 6] = [
    Scene {
        name: "success",
        about: "The run succeeds, so the job goes on. The log also shows the previous runs: one bar each.",
        arguments: &["--pipeline-id=sales_load", "--run-id=e7c91a3b", "--poll-interval=2s"],
        verdict: "passed",
        exit_code: 0,
        with_summary: false,
    },
    Scene {
        name: "failure",
        about: "The run fails, so the job stops. The log and the job summary show the likely cause, here from the run's logs, and a hint.",
        arguments: &["--pipeline-id=orders_load", "--run-id=f9d8e7c6", "--details=false"],
        verdict: "failed",
        exit_code: 1,
        with_summary: true,
    },
    Scene {
        name: "timeout",
        about: "The run does not finish within the time limit. The job stops, and the run itself goes on.",
        arguments: &[
            "--pipeline-id=clickstream",
            "--run-id=b3c4d5e6",
            "--timeout=3s",
            "--logs=never",
            "--details=false",
        ],
        verdict: "timed-out",
        exit_code: 3,
        with_summary: false,
    },
    Scene {
        name: "outage",
        about: "Maestro answers 503 for a while. The gate keeps polling, and the job goes on when the run succeeds.",
        arguments: &["--pipeline-id=stock_load", "--run-id=c2a4f1d0", "--details=false"],
        verdict: "passed",
        exit_code: 0,
        with_summary: false,
    },
    Scene {
        name: "fresh",
        about: "The last success is too old. The gate waits for fresh data: for a run that is newer.",
        arguments: &[
            "--pipeline-id=sales_mart",
            "--run-id=last-success",
            "--max-age=1d",
            "--if-stale=wait",
            "--poll-interval=2s",
            "--details=false",
        ],
        verdict: "passed",
        exit_code: 0,
        with_summary: false,
    },
    Scene {
        name: "trigger",
        about: "The gate starts the pipeline itself and waits for the run that it started.",
        arguments: &["--pipeline-id=daily_report", "--trigger"],
        verdict: "passed",
        exit_code: 0,
        with_summary: false,
    },
];
