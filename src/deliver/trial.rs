//! Whether the destinations can be written at all, for `doctor`: each is tried, and left as it is.

use std::path::PathBuf;

use super::agent::Call;
use super::{AGENT, Delivery, Piece, Trouble, agent, file};
use crate::plan::ci::Ci;

impl Delivery {
    /// Tries every destination, and leaves each as it is.
    pub fn trials(&self) -> Vec<Piece> {
        let outlet = &self.outlet;
        let own = [
            ("dotenv", &outlet.dotenv),
            ("json", &outlet.json),
            ("junit", &outlet.junit),
            ("markdown", &outlet.markdown),
            ("trace-file", &outlet.trace_file),
            ("annotations", &outlet.annotations),
            (ci_output(outlet.ci).unwrap_or("outputs"), &outlet.ci_output),
            (ci_summary(outlet.ci), &outlet.ci_summary),
        ];
        let file = |(input, path): (&'static str, &Option<PathBuf>)| {
            let path = path.clone()?;
            let there = path.clone();
            let work = move || file::try_file(&there).map_err(Trouble::NotWritten);
            Some(Piece { input, path, work: Box::new(work), then: None })
        };
        let folder = outlet.output_dir.clone().map(|path| {
            let there = path.clone();
            let work = move || file::try_folder(&there).map_err(Trouble::NotWritten);
            Piece { input: "output-dir", path, work: Box::new(work), then: None }
        });
        let agent = (outlet.ci == Ci::Buildkite).then(|| {
            let hidden = crate::plan::secret_variables();
            let version = || vec![Call { arguments: vec!["--version".to_owned()], input: String::new() }];
            let work = move || agent::call(AGENT, version(), &hidden).map_err(Trouble::NotWritten);
            Piece { input: AGENT, path: "--version".into(), work: Box::new(work), then: None }
        });
        own.into_iter().filter_map(file).chain(folder).chain(agent).collect()
    }
}

/// The variable that names the file in which a CI takes outputs.
pub(super) fn ci_output(ci: Ci) -> Option<&'static str> {
    match ci {
        Ci::Github => Some("GITHUB_OUTPUT"),
        Ci::Circleci => Some("BASH_ENV"),
        Ci::Bitbucket => Some("BITBUCKET_PIPELINES_VARIABLES_PATH"),
        Ci::Drone => Some("DRONE_OUTPUT"),
        Ci::CloudBuild => Some("BUILDER_OUTPUT"),
        Ci::Azure | Ci::Buildkite | Ci::Files | Ci::Gitlab | Ci::None | Ci::Teamcity => None,
    }
}

/// The same for the summary.
pub(super) fn ci_summary(ci: Ci) -> &'static str {
    match ci {
        Ci::Github => "GITHUB_STEP_SUMMARY",
        Ci::Azure
        | Ci::Bitbucket
        | Ci::Buildkite
        | Ci::Circleci
        | Ci::CloudBuild
        | Ci::Drone
        | Ci::Files
        | Ci::Gitlab
        | Ci::None
        | Ci::Teamcity => "summary",
    }
}
