//! The examples for deployments in Kubernetes: a failed gate holds the deployment, and an old Job never answers for a new one.

use std::collections::BTreeSet;

use crate::repository;

/// Each example with what makes the tool wait for a new Job, and what would let a deployment through.
const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
    (
        "argo-cd.yml",
        &["argocd.argoproj.io/hook: PreSync", "argocd.argoproj.io/hook-delete-policy: BeforeHookCreation"],
        &["PostSync", "Skip"],
    ),
    (
        "argo-rollouts.yml",
        &["count: 1", "failureLimit: 0", "consecutiveErrorLimit: 0", "templateName: maestro-gate"],
        &["dryRun", "inconclusiveLimit", "startingStep"],
    ),
    ("flux-job.yml", &["deploys: \"1.2.3\""], &["IfNotPresent", "reconcile: disabled"]),
    ("flux.yml", &["wait: true", "force: true", "dependsOn:", "timeout: 1h"], &["suspend", "wait: false"]),
    (
        "helm.yml",
        &["helm.sh/hook: pre-install,pre-upgrade", "helm.sh/hook-delete-policy: before-hook-creation"],
        &["hook-succeeded", "post-"],
    ),
    ("kargo.yml", &["verification:", "name: maestro-gate"], &["autoPromotion"]),
];

/// The lines of an example without its comments.
fn lines(name: &str) -> Vec<String> {
    let text = repository::text(format!("examples/kubernetes/{name}"));
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn each_example_in_kubernetes_waits_for_a_new_job_and_lets_no_failure_through() {
    let there = repository::names("examples/kubernetes");
    assert_eq!(there, EXAMPLES.iter().map(|(name, ..)| (*name).to_owned()).collect());
    for (name, holds, tolerant) in EXAMPLES {
        let lines = lines(name);
        for line in *holds {
            assert!(lines.iter().any(|found| found.trim_start_matches("- ") == *line), "{name}: {line}");
        }
        for word in *tolerant {
            assert_eq!(lines.iter().find(|line| line.contains(word)), None, "{name}");
        }
    }
}

#[test]
fn each_job_in_kubernetes_runs_once_and_ends_after_the_gate() {
    let mut jobs = 0;
    for (name, ..) in EXAMPLES {
        let lines = lines(name);
        if !lines.iter().any(|line| line.starts_with("image: IMAGE-static") || line.ends_with("-static")) {
            continue;
        }
        jobs += 1;
        let text = lines.join("\n");
        for line in
            ["backoffLimit: 0", "activeDeadlineSeconds: 3600", "restartPolicy: Never", "readOnlyRootFilesystem: true"]
        {
            assert!(text.contains(line), "{name}: {line}");
        }
        for argument in ["--max-age=24h", "--timeout=50m"] {
            assert!(text.contains(argument), "{name}: {argument}");
        }
    }
    assert_eq!(jobs, 4, "Argo CD, Argo Rollouts, Flux and Helm");
}

/// The analysis comes before any traffic, and both Kustomizations have one source, whose revision Flux compares.
#[test]
fn the_order_of_rollouts_and_the_source_of_flux_hold_the_new_version_back() {
    let rollout = lines("argo-rollouts.yml");
    let at = |line: &str| rollout.iter().position(|found| found == line).expect("the step");
    assert!(at("- analysis:") < at("- setWeight: 20"));
    let flux = lines("flux.yml").join("\n");
    let sources: BTreeSet<&str> = flux
        .split("sourceRef:\n")
        .skip(1)
        .map(|source| source.split("\n---").next().unwrap_or_default().trim())
        .collect();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["kind: GitRepository\nname: reports"]);
}
