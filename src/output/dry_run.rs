//! Whether the destinations can be written at all, for `doctor`: each is tried, and left as it is.

use super::agent::Call;
use super::{AGENT, Delivery, Done, Job, agent, report_file};
use crate::config::{Destination, Document, Target};

impl Delivery {
    /// Tries every destination, and leaves each as it is.
    pub fn trials(&self) -> Vec<Job<Done>> {
        // The agent is asked once, whatever it gets.
        let asked = |destination: &Destination| {
            destination.target != Target::Agent || destination.document == Document::Outputs
        };
        let job = |(index, destination): (usize, &Destination)| {
            let (guard, target) = (self.guard(), destination.target.clone());
            let work = move || {
                match &target {
                    Target::File(path) => {
                        guard().admit(path)?;
                        report_file::try_file(path)?;
                    }
                    Target::Shared(path) => report_file::try_file(path)?,
                    Target::Folder(path) => {
                        guard().admit(path)?;
                        report_file::try_folder(path)?;
                    }
                    Target::Agent => {
                        let version = Call { arguments: vec!["--version".to_owned()], input: String::new() };
                        agent::call(AGENT, vec![version], &crate::config::secret_variables())?;
                    }
                }
                Ok(None)
            };
            (index, Box::new(work) as Box<dyn FnOnce() -> Done + Send>)
        };
        self.written().filter(|(_, destination)| asked(destination)).map(job).collect()
    }
}
