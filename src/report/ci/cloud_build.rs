//! What Cloud Build keeps of a step: the beginning of `$BUILDER_OUTPUT/output`, as `results.buildStepOutputs` of the build.
//!
//! <https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Results>

use std::collections::BTreeMap;

use super::{CiSystem, EnvMarker, OutputChannel, PLAIN};
use crate::report::{Report, output_values};

/// The variable that names the folder of a step's results (`BuildStepOutputs`).
const FOLDER: &str = "BUILDER_OUTPUT";

pub(super) static CLOUD_BUILD: CiSystem = CiSystem {
    names: &["cloud-build"],
    marks: &[EnvMarker::Set(FOLDER)],
    // What is kept is the beginning of the file: the last version must be the only one.
    outputs: OutputChannel::InFolder { variable: FOLDER, file: "output", render: |report, _, _| render(report) },
    ..PLAIN
};

/// The documentation disagrees with itself about how much is kept, 4 KB or 50 KB: the file stays below the smaller. Only
/// the path of a trace file can be long; ids are at most 256 bytes.
const PATH_LIMIT: usize = 1024;

/// The outputs as one JSON object on one line, by the names of the JSON report.
fn render(report: &Report) -> String {
    let variables: BTreeMap<String, String> = output_values::variables(report, "")
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(_, value)| value.len() <= PATH_LIMIT)
        .collect();
    serde_json::to_string(&variables).expect("text can be written as JSON") + "\n"
}
