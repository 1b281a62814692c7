//! Whether the destinations can be written at all, for `doctor`: each is tried, and left as it is.

use super::{Job, ReportWriter, WriteResult, agent, report_file, worker};
use crate::config::{Destination, DocumentKind, WriteTarget};
use crate::report::ci::AgentCall;

impl ReportWriter {
    /// Tries every destination, and leaves each as it is.
    pub fn trials(&self) -> Vec<Job<WriteResult>> {
        // The agent is asked once, whatever it gets.
        let asked = |destination: &Destination| {
            !matches!(destination.target, WriteTarget::Agent(_)) || destination.document == DocumentKind::Outputs
        };
        let job = |(index, destination): (usize, &Destination)| {
            let (guard, target) = (self.guard(), destination.target.clone());
            let work = move || {
                match &target {
                    WriteTarget::File(path) => {
                        guard().admit(path)?;
                        report_file::try_file(path)?;
                    }
                    WriteTarget::Shared(path) => {
                        guard().admit_shared_path(path)?;
                        report_file::try_file(path)?;
                    }
                    WriteTarget::Folder(path) => {
                        guard().admit(path)?;
                        report_file::try_folder(path)?;
                    }
                    WriteTarget::Agent(program) => {
                        let version = AgentCall { arguments: vec!["--version".to_owned()], input: String::new() };
                        agent::call(program, vec![version], &crate::config::secret_variables())?;
                    }
                }
                Ok(None)
            };
            worker::job(index, work)
        };
        self.written().filter(|(_, destination)| asked(destination)).map(job).collect()
    }
}
